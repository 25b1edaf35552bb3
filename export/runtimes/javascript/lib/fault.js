/** What the user can mend; the message is one line: what, where, and the next step. */
export class ScoringError extends Error {
  name = "ScoringError";
}
