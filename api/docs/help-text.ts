/** What a code means for whoever gets it, and what to do about it. */
export interface Help {
  readonly meaning: string;
  readonly action: string;
}
