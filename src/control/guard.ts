/** What a commit wants done begins at once; should the object stop before, its alarm makes up for it so much later. */
const guardMs = 1_000;

export function guardAfter({ committedAt = "" }: { committedAt?: string }): number {
  return (Date.parse(committedAt) || 0) + guardMs;
}
