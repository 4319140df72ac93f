/** Why a source gave no members, in a form that people can act on: what, and where. */
export type SourceErrorCode =
  /** The address is not one that may be fetched. */
  | "forbidden_address"
  /** No connection, or none that spoke HTTP. */
  | "unreachable"
  /** An answer other than 200, or one that cannot be read. */
  | "bad_answer"
  | "redirect"
  /** No byte came for too long. */
  | "stalled"
  /** All of it took too long. */
  | "timeout"
  /** The answer broke off, or its compression is damaged. */
  | "interrupted"
  | "too_large"
  | "too_many_members"
  /** Not a byte, which a broken source gives more often than an empty cohort. */
  | "empty"
  /** Not what the format says. */
  | "syntax"
  /** Whoever asked wants it no more. */
  | "cancelled";

export class SourceError extends Error {
  readonly code: SourceErrorCode;
  /** How long the source asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(code: SourceErrorCode, message: string, retryAfterMs?: number) {
    super(message);
    this.name = "SourceError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
