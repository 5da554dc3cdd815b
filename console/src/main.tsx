import { render } from 'preact';
import { App } from './app.tsx';
import { startLive } from './live.ts';
import { startPalette } from './palette.tsx';
import { startRouter } from './router.ts';
import { startState } from './state.ts';
import './styles/theme.css';
import './styles/layout.css';
import './styles/parts.css';

startState();
startRouter();
startPalette();
startLive();

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
