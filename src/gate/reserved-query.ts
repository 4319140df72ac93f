export function withoutReserved(search: string, names: readonly string[]): string {
  if (names.length === 0 || search === "") return search;
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const pairs = search.slice(1).split("&");
  const kept = pairs.filter((pair) => {
    const name = pair.split("=", 1)[0] ?? "";
    try {
      return !wanted.has(decodeURIComponent(name.replaceAll("+", " ")).toLowerCase());
    } catch {
      return !wanted.has(name.toLowerCase());
    }
  });
  if (kept.length === pairs.length) return search;
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}
