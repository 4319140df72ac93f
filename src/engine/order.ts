/** Positions in a flag list: what each flag depends on. */
export type Dependencies = readonly (readonly number[])[];

/**
 * Every position that lies on a cycle of dependencies (Tarjan's strongly connected components, without recursion so
 * that a long chain cannot overflow the stack). A flag that only depends on a cycle is not on it.
 */
export function findCycles(dependencies: Dependencies): Set<number> {
  const cyclic = new Set<number>();
  const found: number[] = [];
  const low: number[] = [];
  const open: number[] = [];
  const isOpen = new Set<number>();
  const path: { at: number; next: number }[] = [];
  let count = 0;

  const enter = (at: number): void => {
    found[at] = low[at] = count++;
    open.push(at);
    isOpen.add(at);
    path.push({ at, next: 0 });
  };
  const leave = (at: number): void => {
    if (low[at] !== found[at]) return;
    const members = open.splice(open.lastIndexOf(at));
    for (const member of members) {
      isOpen.delete(member);
      if (members.length > 1 || dependencies[member]?.includes(member)) cyclic.add(member);
    }
  };

  for (let start = 0; start < dependencies.length; start++) {
    if (found[start] !== undefined) continue;
    enter(start);
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const next = dependencies[step.at]?.[step.next++];
      if (next === undefined) {
        path.pop();
        leave(step.at);
        const parent = path.at(-1);
        if (parent !== undefined) low[parent.at] = Math.min(low[parent.at] ?? 0, low[step.at] ?? 0);
      } else if (found[next] === undefined) enter(next);
      else if (isOpen.has(next)) low[step.at] = Math.min(low[step.at] ?? 0, found[next] ?? 0);
    }
  }
  return cyclic;
}

/**
 * The positions to evaluate, each after everything it depends on: depth first through `roots` in their order, as
 * experiment-core's `topologicalSort` walks. There must be no cycle within reach.
 */
export function sortByDependency(dependencies: Dependencies, roots: Iterable<number>): number[] {
  const sorted: number[] = [];
  const seen = new Set<number>();
  const path: { at: number; next: number }[] = [];
  const enter = (at: number): void => {
    if (seen.has(at)) return;
    seen.add(at);
    path.push({ at, next: 0 });
  };
  for (const root of roots) {
    enter(root);
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const next = dependencies[step.at]?.[step.next++];
      if (next !== undefined) enter(next);
      else {
        path.pop();
        sorted.push(step.at);
      }
    }
  }
  return sorted;
}
