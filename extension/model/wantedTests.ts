// What a request of the Test Explorer asks for, as runs: each machine once, however many of its rows were chosen. A test as a whole is
// one run; a part of it is a run for each machine. Pure.

/** What an item stands for; the parts that it does not name are all. */
export interface PlaceOfTest {
  test: string | null;
  machine: string | null;
  check: string | null;
}

export interface TestTreeItem<T> {
  readonly parent: T | undefined;
  readonly children: Iterable<readonly [string, T]>;
}

export interface WantedRun<T> {
  /** The item of the test. */
  test: T;
  /** Null: all machines of the test, with all their checks. */
  machine: T | null;
  /** Null: all of them. A part of the checks proves no level, so its result is not kept. */
  checks: readonly T[] | null;
}

export interface TestRequest<T> {
  include: readonly T[];
  exclude: readonly T[];
}

export function wantedRuns<T extends TestTreeItem<T>>(
  { include, exclude }: TestRequest<T>,
  placeOf: (item: T) => PlaceOfTest | undefined,
): WantedRun<T>[] {
  const excluded = new Set(exclude);
  const checksOf = new Map<T, Map<T, Set<T> | null>>();
  for (const item of include) collect(item);
  return [...checksOf].flatMap(([test, machines]) => runsOf(test, machines));

  function collect(item: T): void {
    const place = placeOf(item);
    if (place === undefined || excluded.has(item)) return;
    if (place.machine === null) {
      for (const [, child] of item.children) collect(child);
      return;
    }
    if (place.check === null) want(item, checksLeft(item));
    else if (item.parent !== undefined) want(item.parent, [item]);
  }

  /** Null: none of them is excluded. */
  function checksLeft(machine: T): T[] | null {
    const checks = childrenOf(machine);
    const left = checks.filter((check) => !excluded.has(check));
    return left.length === checks.length ? null : left;
  }

  function want(machine: T, checks: readonly T[] | null): void {
    const test = machine.parent;
    if (test === undefined || checks?.length === 0) return;
    const machines = checksOf.get(test) ?? new Map<T, Set<T> | null>();
    checksOf.set(test, machines);
    const known = machines.get(machine);
    if (known === null) return;
    machines.set(machine, checks === null ? null : new Set([...(known ?? []), ...checks]));
  }
}

function runsOf<T extends TestTreeItem<T>>(test: T, machines: ReadonlyMap<T, ReadonlySet<T> | null>): WantedRun<T>[] {
  const isWhole = childrenOf(test).every((machine) => machines.get(machine) === null);
  if (isWhole) return [{ test, machine: null, checks: null }];
  return [...machines].map(([machine, checks]) => {
    return { test, machine, checks: checks === null ? null : [...checks] };
  });
}

function childrenOf<T extends TestTreeItem<T>>({ children }: T): T[] {
  return [...children].map(([, child]) => child);
}
