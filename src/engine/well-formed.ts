/** Whether a flag has the shape `flag.ts` declares; flags arrive as JSON, so the types promise nothing. */

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTextList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((element) => typeof element === "string");
const isRange = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((bound) => typeof bound === "number");
/** Null stands for "absent": some of Amplitude's compilers write it. */
const isAbsentOr = (is: (value: unknown) => boolean, value: unknown): boolean =>
  value === undefined || value === null || is(value);
const isText = (value: unknown): boolean => typeof value === "string";

function findConditionFault(condition: unknown): string | undefined {
  if (!isObject(condition)) return "a condition is not an object";
  if (!isTextList(condition.selector)) return "a condition's selector is not a list of names";
  if (!isText(condition.op)) return "a condition has no operator";
  if (!isTextList(condition.values)) return "a condition's values are not a list of strings";
  return undefined;
}

function findBucketFault(bucket: unknown): string | undefined {
  if (!isObject(bucket)) return "a bucket is not an object";
  if (!isTextList(bucket.selector)) return "a bucket's selector is not a list of names";
  if (!isText(bucket.salt)) return "a bucket has no salt";
  if (!Array.isArray(bucket.allocations)) return "a bucket has no allocations";
  for (const allocation of bucket.allocations) {
    if (!isObject(allocation) || !isRange(allocation.range)) return "an allocation has no range";
    if (!Array.isArray(allocation.distributions)) return "an allocation has no distributions";
    for (const distribution of allocation.distributions) {
      if (!isObject(distribution) || !isRange(distribution.range)) return "a distribution has no range";
      if (!isText(distribution.variant)) return "a distribution names no variant";
    }
  }
  return undefined;
}

function findSegmentFault(segment: unknown): string | undefined {
  if (!isObject(segment)) return "a segment is not an object";
  if (!isAbsentOr(isText, segment.variant)) return "a segment's variant is not a key";
  if (!isAbsentOr(isObject, segment.metadata)) return "a segment's metadata is not an object";
  if (segment.bucket !== undefined && segment.bucket !== null) {
    const fault = findBucketFault(segment.bucket);
    if (fault !== undefined) return fault;
  }
  if (segment.conditions === undefined || segment.conditions === null) return undefined;
  if (!Array.isArray(segment.conditions)) return "a segment's conditions are not a list";
  for (const group of segment.conditions) {
    if (!Array.isArray(group)) return "a segment's conditions are not a list of lists";
    for (const condition of group) {
      const fault = findConditionFault(condition);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

/** The first thing wrong with a flag that has a key, in words; undefined when it is well formed. */
export function findShapeFault(flag: object): string | undefined {
  const { variants, segments, dependencies, metadata } = flag as Record<string, unknown>;
  if (!isObject(variants)) return "the flag has no variants";
  for (const [key, variant] of Object.entries(variants)) {
    if (!isObject(variant)) return `variant ${JSON.stringify(key)} is not an object`;
    if (!isAbsentOr(isObject, variant.metadata)) return `variant ${JSON.stringify(key)} has metadata that is no object`;
  }
  if (!Array.isArray(segments)) return "the flag has no segments";
  if (!isAbsentOr(isTextList, dependencies)) return "the flag's dependencies are not a list of keys";
  if (!isAbsentOr(isObject, metadata)) return "the flag's metadata is not an object";
  for (const segment of segments) {
    const fault = findSegmentFault(segment);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
