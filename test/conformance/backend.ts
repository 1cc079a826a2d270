// What every backend and every wrapper must do: the contract of core/storage/backend.ts as tests. A test file of a
// backend only says how to make an empty one.

import type { Backend } from "../../core/storage/backend.js";
import { aborts, concurrency, conditionalPuts } from "./backendConcurrency.js";
import { listings } from "./backendListings.js";
import { contents, names, ranges } from "./backendObjects.js";

export interface MadeBackend {
  /** Empty. */
  backend: Backend;
  cleanup(): Promise<void>;
}

export function describeBackend(name: string, make: () => Promise<MadeBackend>): void {
  describe(`backend contract: ${name}`, function () {
    this.timeout(60_000);
    let made: MadeBackend;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(async () => {
      await made.backend.close();
      await made.backend.close();
      await made.cleanup();
    });
    const use = () => made.backend;
    describe("contents", () => contents(use));
    describe("names", () => names(use));
    describe("ranges", () => ranges(use));
    describe("putIfAbsent", () => conditionalPuts(use));
    describe("list", () => listings(use));
    describe("at the same time", () => concurrency(use));
    describe("abort", () => aborts(use));
  });
}
