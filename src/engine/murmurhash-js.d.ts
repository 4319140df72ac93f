/** The package is CommonJS and brings no types; its module is the murmur3 function itself. */
declare module "murmurhash-js" {
  /** MurmurHash3 x86 32-bit of the string's char codes, each taken `& 0xff`; unsigned. */
  export default function murmur3(key: string, seed: number): number;
}
