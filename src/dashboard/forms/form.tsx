/** A form as a page shows it: its faults first, then field by field. */
import type { Child } from "hono/jsx";
import type { Session } from "../session.ts";
import type { Errors } from "./errors.ts";
import type { Field } from "./field.ts";
import { Fields, idOf, labelOf } from "./fields.tsx";

export const formKeyField = "_key";

/** Without it nothing that is posted is done. */
export function FormKey({ of: { formKey } }: { of: Session }) {
  return <input type="hidden" name={formKeyField} value={formKey} />;
}

interface FormProps {
  session: Session;
  fields: readonly Field[];
  values: URLSearchParams;
  errors: Errors;
  /** On the button. */
  action: string;
  cancel?: string;
  /** When what is changed was last changed, as far as this form knows. */
  seen?: string | undefined;
  children?: Child;
}

export function Form({ session, fields, values, errors, action, cancel, seen, children }: FormProps) {
  return (
    <form method="post" class="edit">
      <FormKey of={session} />
      {seen !== undefined && <input type="hidden" name="_seen" value={seen} />}
      <Faults errors={errors} fields={fields} />
      {children}
      <Fields fields={fields} values={values} errors={errors} />
      <p class="actions">
        <button type="submit" class="primary">
          {action}
        </button>
        {cancel !== undefined && <a href={cancel}>Cancel</a>}
      </p>
    </form>
  );
}

interface FaultsProps {
  errors: Errors;
  /** What the form asks, whose labels name the faults. */
  fields?: readonly Field[];
  lead?: string;
}

export function Faults({ errors: { at, rest }, fields = [], lead = "Nothing was changed:" }: FaultsProps) {
  if (at.size === 0 && rest.length === 0) return null;
  return (
    <div class="notice bad" role="alert" tabindex={-1} data-focus>
      <strong>{lead}</strong>
      <ul>
        {rest.map((message) => (
          <li>{message}</li>
        ))}
        {[...at].map(([control, message]) => (
          <li>
            <a href={`#${idOf(control)}`}>{labelOf(fields, control)}</a>: {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
