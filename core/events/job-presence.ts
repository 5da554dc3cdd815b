/** The state of a job as recovery needs it. `delayed`: it stands by for a time of its own. */
export type JobPresence = 'queued' | 'delayed' | 'finished' | 'gone';
