import type { Field } from "./field.ts";

/** The subject's device, in any form that `parseDeviceId` takes. */
export const deviceIdField: Field = {
  kind: "text",
  name: "device_id",
  label: "Device id",
  hint: "The vst_did cookie’s value, whole or its first 22 characters, or an id of your own.",
  optional: true,
};
