// Faults by chance from a seed. Which request meets which fault also depends on the order in which requests arrive: a seed
// repeats the kind of weather, not the single drop.

import { SeededChoice } from "../../model/seededChoice.js";
import type { ChooseFault, Fault, ProxiedRequest } from "./fault.js";

export interface Weather {
  /** Share of requests that meet a fault. */
  rate: number;
  /** Late deliveries come at most so much later. */
  latestMs: number;
}

type MakeFault = (choice: SeededChoice, weather: Weather) => Fault;

const ANY: readonly MakeFault[] = [
  (choice) => ({ kind: "delay", ms: choice.below(300) }),
  () => ({ kind: "reset" }),
  () => ({ kind: "lose answer" }),
  (choice) => ({ kind: "drip", pieces: 2 + choice.below(12), everyMs: 5 + choice.below(60) }),
  () => ({ kind: "refuse", status: 503, code: "SlowDown" }),
  () => ({ kind: "lie about success" }),
  (choice, { latestMs }) => ({
    kind: "duplicate",
    laterMs: choice.below(latestMs),
    answer: "first",
  }),
];

const WHERE_BYTES_COME: readonly MakeFault[] = [
  (choice) => ({ kind: "truncate", share: choice.next() }),
  (choice) => ({ kind: choice.happens(0.2) ? "stall" : "truncate", share: choice.next() }),
];

const WHERE_SOMETHING_CHANGES: readonly MakeFault[] = [
  (choice) => ({ kind: "duplicate", laterMs: choice.below(100), answer: choice.pick(["first", "second"]) }),
  (choice, { latestMs }) => ({ kind: "duplicate", laterMs: choice.below(latestMs), answer: "first" }),
  (choice, { latestMs }) => ({ kind: "hold back", ms: choice.below(latestMs) }),
  () => ({ kind: "lose answer" }),
  () => ({ kind: "lie about success" }),
];

/** Everything but listings that lie: those are a matter of `staleListings`. */
export function faultsByChance(seed: number, weather: Weather): ChooseFault {
  const choice = new SeededChoice(seed);
  return (request) => {
    if (!choice.happens(weather.rate)) return { kind: "none" };
    const fitting = isChange(request) ? WHERE_SOMETHING_CHANGES : WHERE_BYTES_COME;
    return choice.pick(choice.happens(0.5) ? ANY : fitting)(choice, weather);
  };
}

/** A storage that always lists what was there one listing earlier. */
export function staleListings(request: ProxiedRequest): Fault {
  return request.isList ? { kind: "stale list" } : { kind: "none" };
}

function isChange({ method }: ProxiedRequest): boolean {
  return method === "PUT" || method === "DELETE" || method === "POST";
}
