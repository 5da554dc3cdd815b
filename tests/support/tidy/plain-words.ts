/**
 * Last words of the names of types in core that mean what they mean in English or in programming. A word
 * with a meaning of its own here belongs into docs/GLOSSARY.md instead.
 */
export const PLAIN_WORDS: ReadonlySet<string> = new Set(
  `
    action addresse admin again ahead among analyser answer asking at attempt attribute audit
    authenticator away back backlog beside between book breaker cache call called candidate change
    changed channel check chore claim class client clock code command committed contact content
    context cooling count cursor data deadline decided decision deferral definition dep dependency
    difference direction dispatch doc doer elsewhere end engine ephemeral error event evidence exit
    fact failed failpoint failure fault filter find finding finish flight fold give guard hash head
    heartbeat hint history host hour id input intervened intervention item journal json keeper kind
    known left level limit limiter loaded logger looked lookup map material message meter metric
    mode mongo move moved movement name nap needed new notice option order origin out outage outcome
    outgoing override page parking parsed part party phase place point policy post posting postponed
    precondition presence problem progress proof provider publisher query question reached reader
    reason rebuild rebuilt record redo ref registry rendered renewal replay reply report request
    resolved result role roster rotation router row rule run runner sample schedule schema script
    seat secret seen selection sender service settled settler setup shape share signal signer source
    span spec standing start state status step stream subject submission subscription subtree sum
    summary suspect tail taken taking tally template term text ticker tier time timing tool total
    touche tracer transaction tried trouble try tuning turn type unclaimed unfit url usage use value
    verdict version violation waiter wake walk want way wish work worker writer
  `
    .trim()
    .split(/\s+/),
);
