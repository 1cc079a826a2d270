import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { expiringDecisions } from "../../core/repository/versions.js";
import { S3_POLICY_KINDS, type S3PolicyKind, type S3PolicyOptions, s3Policy } from "../../core/roles/s3Policy.js";
import { inProject } from "../support/projectRoot.js";

const OPTIONS: S3PolicyOptions = {
  bucket: "backups",
  prefix: "lab/",
  runner: "arn:aws:iam::123456789012:user/runner",
  keeper: "arn:aws:iam::123456789012:user/keeper",
  conditionalPuts: true,
  noncurrentDays: 30,
};

interface Policy {
  Statement: {
    Sid: string;
    Effect: string;
    Principal?: unknown;
    Action: string[];
    Resource: string[];
    Condition?: object;
  }[];
}

const policy = (kind: S3PolicyKind, changes: Partial<S3PolicyOptions> = {}) =>
  s3Policy(kind, { ...OPTIONS, ...changes }) as Policy;

describe("S3 policies", () => {
  for (const kind of S3_POLICY_KINDS) {
    it(`${kind} is what it was`, () => {
      const path = inProject("test", "roles", "policies", `${kind}.json`);
      const document = s3Policy(kind, OPTIONS);
      if (process.env.UPDATE_GOLDEN) writeFileSync(path, `${JSON.stringify(document, null, 2)}\n`);
      assert.deepEqual(document, JSON.parse(readFileSync(path, "utf8")));
    });
  }

  it("let a runner delete nothing and decide nothing", () => {
    for (const { Effect, Action, Resource } of policy("s3-runner").Statement) {
      if (Effect === "Deny") continue;
      for (const action of Action) assert.match(action, /^s3:(List|Get|PutObject$)/);
      if (!Action.includes("s3:PutObject")) continue;
      for (const resource of Resource) assert.doesNotMatch(resource, /lab\/(config|keys|forgotten|gc|\*)/);
    }
  });

  it("let nobody remove versions", () => {
    for (const kind of ["s3-runner", "s3-keeper"] as const) {
      const denied = policy(kind)
        .Statement.filter(({ Effect }) => Effect === "Deny")
        .flatMap(({ Action }) => Action);
      assert.ok(denied.includes("s3:DeleteObjectVersion"));
    }
  });

  it("remove older versions of what takes space, never of decisions", () => {
    const { Rules } = s3Policy("s3-lifecycle", OPTIONS) as {
      Rules: { Filter: { Prefix: string }; NoncurrentVersionExpiration?: object }[];
    };
    const expiring = Rules.filter((rule) => rule.NoncurrentVersionExpiration).map(({ Filter }) => Filter.Prefix);
    assert.ok(expiring.includes("lab/packs/"));
    const protection = { versioning: "on" as const, objectLockDays: null };
    const versionsExpire = expiring.map((prefix) => prefix.slice("lab/".length));
    assert.deepEqual(expiringDecisions({ ...protection, versionsExpire }), []);
    assert.equal(expiringDecisions({ ...protection, versionsExpire: [""] }).length, 5);
  });

  it("fit a whole bucket, and servers without conditions", () => {
    const plain = policy("s3-runner", { prefix: "", conditionalPuts: false });
    assert.ok(plain.Statement.every(({ Condition }) => Condition === undefined));
    assert.ok(plain.Statement.some(({ Resource }) => Resource.includes("arn:aws:s3:::backups/packs/*")));
    assert.ok(policy("s3-bucket").Statement.every(({ Principal }) => Principal !== undefined));
  });
});
