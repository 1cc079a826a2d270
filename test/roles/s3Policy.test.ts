import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { expiringDecisions } from "../../core/repository/versions.js";
import { haproxyConfig } from "../../core/roles/haproxyConfig.js";
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

describe("HAProxy's configuration", () => {
  const PLACE = { bucket: "backups", prefix: "lab/", server: { host: "127.0.0.1", port: 7480, tls: false } };

  it("is what it was", () => {
    const path = inProject("test", "roles", "policies", "haproxy.cfg");
    const text = haproxyConfig(PLACE);
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
    assert.equal(text, readFileSync(path, "utf8"));
  });

  it("checks the certificate of a server behind TLS", () => {
    const server = { host: "s3.example.com", port: 443, tls: true };
    const [line] = haproxyConfig({ ...PLACE, server }).match(/^ *server .*$/m) ?? [];
    assert.match(line ?? "", /server storage s3\.example\.com:443 ssl verify required .* verifyhost s3\.example\.com$/);
  });

  it("lets writes to names of ours pass and no others", () => {
    const odd = haproxyConfig({ ...PLACE, bucket: "my.backups", prefix: "" });
    const [, pattern = ""] = /acl written_once path -m reg '(.*)'/.exec(odd) ?? [];
    const taken = new RegExp(pattern);
    const pack = `${"ab".repeat(16)}-00000000`;
    for (const name of [`packs/00/${pack}`, `index/${pack}`, `snapshots/${"ab".repeat(16)}`, "records/canary"]) {
      assert.match(`/my.backups/${name}`, taken);
    }
    for (const name of [
      "config",
      "keys/x",
      "gc/x.plan",
      "sessions/x",
      "packs/../config",
      "packs/%61",
      "packs/",
      "packs//x",
    ]) {
      assert.doesNotMatch(`/my.backups/${name}`, taken);
    }
    assert.doesNotMatch(`/my-backups/index/${pack}`, taken);
    assert.doesNotMatch(`/other/my.backups/index/${pack}`, taken);
  });
});

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

  it("let a runner write through its proxy only", () => {
    const { Statement } = policy("s3-runner", { proxy: "192.0.2.7/32" });
    const bound = Statement.find(({ Sid }) => Sid === "RunnerWritesThroughProxy");
    assert.equal(bound?.Effect, "Deny");
    assert.deepEqual(bound.Condition, { NotIpAddress: { "aws:SourceIp": ["192.0.2.7/32"] } });
    assert.ok(policy("s3-bucket").Statement.every(({ Sid }) => Sid !== "RunnerWritesThroughProxy"));
  });

  it("fit a whole bucket, and servers without conditions", () => {
    const plain = policy("s3-runner", { prefix: "", conditionalPuts: false });
    assert.ok(plain.Statement.every(({ Condition }) => Condition === undefined));
    assert.ok(plain.Statement.some(({ Resource }) => Resource.includes("arn:aws:s3:::backups/packs/*")));
    assert.ok(policy("s3-bucket").Statement.every(({ Principal }) => Principal !== undefined));
  });
});
