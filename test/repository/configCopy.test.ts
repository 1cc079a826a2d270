import assert from "node:assert/strict";
import { RepriseError } from "../../core/errors.js";
import { applyRepairConfig, planRepairConfig } from "../../core/repair/repairConfig.js";
import { readConfig } from "../../core/repository/configObject.js";
import type { Warning } from "../../core/repository/warnings.js";
import { assertCode } from "../support/assertCode.js";
import { FaultyBackend } from "../support/faultyBackend.js";
import { TestRepository } from "../support/testRepository.js";

describe("the second copy of the config", () => {
  for (const [what, spoil] of [
    ["missing", () => undefined],
    ["cut short", (bytes: Uint8Array) => bytes.subarray(0, 40)],
    ["of one changed byte in its version", (bytes: Uint8Array) => bytes.with(8, 9)],
    ["of one changed byte inside", (bytes: Uint8Array) => bytes.with(90, (bytes[90] as number) ^ 1)],
  ] as const) {
    it(`opens a repository whose config is ${what}, and repairs it`, async () => {
      const { repository, backend } = await TestRepository.make();
      const stored = await backend.get("config");
      const spoilt = spoil(stored);
      if (spoilt === undefined) await backend.delete("config");
      else await backend.put("config", spoilt);
      const warnings: Warning[] = [];
      const config = await readConfig(backend, { onWarning: (warning) => warnings.push(warning) });
      assert.deepEqual(config, repository.config);
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ["CONFIG_COPY_USED"],
      );
      const repairs = await planRepairConfig(repository);
      assert.deepEqual(
        repairs.map(({ object }) => object),
        ["config"],
      );
      await applyRepairConfig(repository, repairs);
      assert.deepEqual(await backend.get("config"), stored);
      assert.deepEqual(await planRepairConfig(repository), []);
    });
  }

  it("is repaired from the config", async () => {
    const { repository, backend } = await TestRepository.make();
    const stored = await backend.get("config.copy");
    await backend.put("config.copy", stored.with(70, (stored[70] as number) ^ 0x80));
    await applyRepairConfig(repository, await planRepairConfig(repository));
    assert.deepEqual(await backend.get("config.copy"), stored);
  });

  it("leaves the first error when both are lost", async () => {
    const { backend } = await TestRepository.make();
    for (const name of ["config", "config.copy"]) await backend.put(name, new Uint8Array(100).fill(1));
    await assert.rejects(readConfig(backend), (error: RepriseError) => error.code === "CONFIG_DAMAGED");
    await backend.delete("config");
    await assert.rejects(readConfig(backend), (error: RepriseError) => error.code === "CONFIG_MISSING");
    await backend.delete("config.copy");
    await assert.rejects(readConfig(backend), (error: RepriseError) => error.code === "REPOSITORY_NOT_FOUND");
  });

  for (const [family, code] of [
    ["not-found", "S3_BUCKET_MISSING"],
    ["usage", "S3_CREDENTIALS_MISSING"],
    ["usage", "S3_REGION_WRONG"],
    ["backend", "STORAGE_UNREACHABLE"],
  ] as const) {
    it(`is not asked, nor called lost, when the storage says ${code}`, async () => {
      const { backend } = await TestRepository.make();
      const faulty = new FaultyBackend(backend).fail("get", {
        kind: "before",
        key: /^config/,
        error: new RepriseError(family, code, "no"),
      });
      await assertCode(readConfig(faulty), code);
    });
  }
});
