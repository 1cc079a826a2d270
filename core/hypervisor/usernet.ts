// The table of QEMU's user-mode network (`info usernet`): which host port leads where, and which connections the guest
// has really accepted. A connection to a forwarded port succeeds before the guest listens, so only this table knows.

export interface UsernetRow {
  /** `forward`: a listening host port. */
  kind: "forward" | "established" | "opening" | "other";
  hostPort: number;
  guestAddress: string;
  guestPort: number;
}

const MAX_ROWS = 10_000;

/** Rows look like `TCP[HOST_FORWARD]   9   127.0.0.1 40525   10.0.2.15   80   0   0` (libslirp, slirp_connection_info). */
export function parseUsernet(text: string): UsernetRow[] {
  const rows: UsernetRow[] = [];
  for (const line of text.split("\n").slice(0, MAX_ROWS)) {
    const match = /^\s*TCP\[([A-Z0-9_]{1,20})\]\s+-?\d+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s/.exec(line);
    if (match === null) continue;
    const [, state = "", , hostPort, guestAddress = "", guestPort] = match;
    rows.push({ kind: kindOf(state), hostPort: Number(hostPort), guestAddress, guestPort: Number(guestPort) });
  }
  return rows;
}

function kindOf(state: string): UsernetRow["kind"] {
  if (state === "HOST_FORWARD") return "forward";
  if (state === "ESTABLISHED") return "established";
  return state === "SYN_SENT" ? "opening" : "other";
}
