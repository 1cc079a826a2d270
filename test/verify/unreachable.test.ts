// A storage that cannot be asked is no damaged storage: verify ends with its error and puts nothing into quarantine.

import assert from "node:assert/strict";
import { RepriseError } from "../../core/errors.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { assertCode } from "../support/assertCode.js";
import { FaultyBackend } from "../support/faultyBackend.js";
import { listKeys } from "../support/listing.js";
import { noise } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";

describe("verify --read-data of packs that cannot be had", () => {
  async function verifyWith(error: RepriseError) {
    const memory = new MemoryBackend();
    const test = await TestRepository.make({ backend: memory, encrypted: false });
    await test.backUp("vm/a", { disk: noise(1, 100_000) });
    const faulty = new FaultyBackend(memory).fail("get", { kind: "before", key: /^packs\//, error, times: 100 });
    const verifying = (await test.reopen({ backend: faulty })).verify({ record: true });
    return { verifying, quarantined: () => listKeys(memory, "quarantine/") };
  }

  for (const [family, code, retry] of [
    ["backend", "STORAGE_UNREACHABLE", "later"],
    ["backend", "STORAGE_FAILED", "later"],
    ["backend", "STORAGE_ACCESS_DENIED", "never"],
    ["backend", "S3_TOKEN_EXPIRED", "never"],
    ["not-found", "S3_BUCKET_MISSING", "never"],
  ] as const) {
    it(`${code} (retry ${retry}) ends it`, async () => {
      const { verifying, quarantined } = await verifyWith(new RepriseError(family, code, "no", { retry }));
      await assertCode(verifying, code);
      assert.deepEqual(await quarantined(), []);
    });
  }
});
