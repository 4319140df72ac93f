/** What each form of a session holds. */
import type { Session } from "../session.ts";

export const formKeyField = "_key";

/** Without it nothing that is posted is done. */
export function FormKey({ of: { formKey } }: { of: Session }) {
  return <input type="hidden" name={formKeyField} value={formKey} />;
}
