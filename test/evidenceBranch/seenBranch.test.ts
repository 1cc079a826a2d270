// What a clone remembers of a branch moves forward only, also when several processes read at the same time.

import assert from "node:assert/strict";
import { join } from "node:path";
import { rememberBranch, seenEntry } from "../../core/evidenceBranch/seenBranch.js";
import { openGitRepository } from "../../core/git/gitRepository.js";
import { GitSandbox, inScratch } from "../support/gitSandbox.js";

describe("the memory of a branch", function () {
  this.timeout(30_000);

  it("is not moved back by a process that has read an older state meanwhile", () =>
    inScratch(async (scratch) => {
      const work = GitSandbox.init(join(scratch, "work"));
      const commits: string[] = [];
      for (const number of [1, 2, 3]) commits.push(await work.commit({ [`log/0000000${number}.json`]: "x" }));
      const [first, second, third] = commits as [string, string, string];
      const place = { repository: await openGitRepository(work.folder), remote: "origin", branch: "evidence" };
      const seen = async () => (await seenEntry(place, {}))?.commit;
      assert.equal(await seen(), undefined);
      await rememberBranch(place, { before: null, commit: second });
      assert.equal(await seen(), second);
      await rememberBranch(place, { before: null, commit: first });
      assert.equal(await seen(), second, "both had seen nothing; the slower one has the older state");
      await rememberBranch(place, { before: second, commit: third });
      await rememberBranch(place, { before: second, commit: first });
      assert.equal(await seen(), third);
    }));
});
