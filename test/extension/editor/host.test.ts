import assert from "node:assert/strict";
import Mocha from "mocha";
import { type BadRepositories, makeBadRepositories } from "../support/badRepositories.js";
import { needsEditor } from "../support/editorServer.js";
import { runHostTests } from "../support/hostTests.js";
import { makeSampleRepository, type SampleRepository } from "../support/sampleRepository.js";

describe("inside the extension host", function () {
  let sample: SampleRepository | undefined;
  let bad: BadRepositories | undefined;
  let count = 0;
  const suite = this;

  before(async function () {
    needsEditor(this);
    sample = await makeSampleRepository();
    bad = await makeBadRepositories();
    const results = await runHostTests(sample, bad);
    count = results.length;
    // what ran there is counted here, each by its name
    for (const { title, problem } of results)
      suite.addTest(new Mocha.Test(title, () => void assert.equal(problem, undefined)));
  });
  after(async () => {
    await sample?.remove();
    await bad?.remove();
  });

  it("tests ran", () => assert.ok(count > 0));
});
