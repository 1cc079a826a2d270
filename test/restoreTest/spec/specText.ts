// Specs for tests: the shortest one, one with every field, and a way to build others from lines.

/** A spec of one machine, with further lines below `spec:` (indented by the caller's two blanks). */
export function specWith(...lines: string[]): string {
  return [
    "apiVersion: reprise/v1",
    "kind: RestoreTest",
    "metadata:",
    "  name: web",
    "spec:",
    "  machine: vm/web1",
    ...lines.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

/** The line of the first of the lines given to specWith. */
export const FIRST_LINE = 7;

/** Every field that the schema knows, each with a value that is not its default. */
export const EVERY_FIELD = `apiVersion: reprise/v1
kind: RestoreTest
metadata:
  name: shop
  description: The shop comes back
  owner: team-shop
  criticality: high
  controls: [ISO27001:A.8.13]
spec:
  machines:
    - machine: prod:vm/db1
      level: serves
      snapshot: rolling
      via: both
      hardware:
        memory: 1GiB
        cpus: 2
        machine-type: q35
        firmware: uefi
        secure-boot: true
        tpm: true
        disk-bus: sata
        nic-model: e1000e
        accelerator: tcg
      timeouts: {restore: 2h, boot: 10m, agent: 3m, application: 4m}
      objectives: {rto: 30m, rpo: 26h}
      ready: {serial: "login:", agent: true, port: 22}
      checks:
        - {type: chunks, id: data, severity: warn, timeout: 3h, retries: 1, interval: 7s}
        - {type: partition-table, disk: vda, scheme: gpt, partitions: 3}
        - {type: filesystem, volume: /vda/p1, file-system: ext4, label: root, uuid: abc, clean: true, minimum-free: 10MiB}
        - {type: file, path: /vda/p1/x, exists: true, sha256: ${"ab".repeat(32)}, minimum-size: 1, maximum-size: 1MB, newer-than: 2d, matches: ok}
        - {type: file, path: /vda/p1/gone, exists: false}
        - {type: serial, matches: READY, forbidden: Oops}
        - {type: agent, os-id: debian}
        - {type: command, run: [systemctl, is-active, nginx], exit-code: 3, matches: active, forbidden: failed}
        - {type: tcp, port: 5432, sends: "hello\\r\\n", expects: SSH}
        - {type: http, port: 8443, path: /health, tls: true, host: shop.example, status: [200, 204], matches: ok, forbidden: error, valid-for: 14d}
        - {type: sql, client: mysql, database: shop, user: reader, query: select 1, equals: "1", matches: "1"}
        - {type: screenshot, stable-for: 9s}
        - {type: canary, path: /vda/p1/canary, tag: mark}
        - {type: script, run: ./check.sh}
    - machine: vm/web1
      depends-on: [prod:vm/db1]
      level: boots
  network: {mode: isolated, subnet: 192.168.7.0/24, gateway: 192.168.7.1}
  level: readable
  snapshot: oldest
  via: restored
  hardware: {memory: 256MiB}
  timeouts: {boot: 1m, total: 20h}
  objectives: {rpo: 2d}
  ready: {agent: true}
  checks: [chunks]
  keep-on-failure: [overlay]
`;
