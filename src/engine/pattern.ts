/** Why a regular expression is refused, in words. */
export class PatternError extends Error {}

/**
 * Compiles a regular expression to a test of partial match.
 * @throws PatternError when it is invalid, or could run away on some input.
 */
export function compilePattern(source: string): (text: string) => boolean {
  const fault = findPatternFault(source);
  if (fault !== undefined) throw new PatternError(fault);
  const pattern = new RegExp(source);
  return (text) => pattern.test(text);
}

/** Why the regular expression is refused, in words; undefined when it is accepted. */
export function findPatternFault(source: string): string | undefined {
  try {
    new RegExp(source);
    return undefined;
  } catch (error) {
    return String(error);
  }
}
