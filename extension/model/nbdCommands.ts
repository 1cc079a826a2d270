// What is done with a disk that is served by NBD: command lines for a terminal, ready to be pasted.

import { quoted } from "./commandLine.js";

export interface NbdDisk {
  name: string;
  /** `nbd+unix:///NAME?socket=PATH`, or `nbd://host:port/NAME`. */
  uri: string;
}

export interface NbdCommand {
  /** The program that people know it by. */
  program: string;
  use: "attach" | "convert" | "copy" | "start" | "look";
  line: string;
}

/** Each works as it is, on this computer. The ones that attach need root, and are undone by `qemu-nbd -d` or `nbd-client -d`. */
export function nbdCommands({ name, uri }: NbdDisk): NbdCommand[] {
  const file = (ending: string) => quoted(`${name}.${ending}`);
  const address = quoted(uri);
  return [
    {
      program: "qemu-nbd",
      use: "attach",
      line: `sudo modprobe nbd max_part=16 && sudo qemu-nbd --read-only --format=raw --connect=/dev/nbd0 ${address}`,
    },
    {
      program: "nbd-client",
      use: "attach",
      line: `sudo modprobe nbd max_part=16 && sudo nbd-client ${clientAddress(name, uri)} /dev/nbd0 -readonly`,
    },
    { program: "qemu-img", use: "convert", line: `qemu-img convert -p -O qcow2 ${address} ${file("qcow2")}` },
    { program: "nbdcopy", use: "copy", line: `nbdcopy --progress ${address} ${file("img")}` },
    {
      program: "qemu-img",
      use: "start",
      line: `qemu-img create -f qcow2 -F raw -b ${address} ${file("overlay.qcow2")}`,
    },
    { program: "nbdinfo", use: "look", line: `nbdinfo ${address}` },
  ];
}

function clientAddress(name: string, uri: string): string {
  const { hostname, port, searchParams } = new URL(uri);
  const socket = searchParams.get("socket");
  return socket === null
    ? `${quoted(hostname)} ${port} -name ${quoted(name)}`
    : `-unix ${quoted(socket)} -name ${quoted(name)}`;
}

/** A machine's screen: the socket for viewers that take one, and a port of this computer for the others. */
export function vncCommands(socket: string): { program: string; line: string }[] {
  return [
    { program: "vncviewer", line: `vncviewer ${quoted(socket)}` },
    {
      program: "socat",
      line: `socat TCP-LISTEN:5999,bind=127.0.0.1,fork ${quoted(`UNIX-CONNECT:${socket}`)} & vncviewer 127.0.0.1::5999`,
    },
  ];
}
