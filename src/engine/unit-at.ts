const { charCodeAt } = String.prototype;

/**
 * `text.charCodeAt(at)`, without looking the method up on the text. V8 has many kinds of texts (of one byte a unit or two,
 * interned, parts of others, joined), and at a place that has met more than four, each look-up costs several times what it
 * finds.
 * @param at Within the text: the first time it is not, V8 gives up compiling this in place, for all callers.
 */
export const unitAt = (text: string, at: number): number => charCodeAt.call(text, at);
