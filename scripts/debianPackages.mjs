// The programs each command needs and the Debian package that brings each. Only programs are listed that we start; a full
// path is a file that a program of ours hands to another.

const everywhere = [
  { tool: "qemu-img", package: "qemu-utils" },
  { tool: "qemu-nbd", package: "qemu-utils" },
  { tool: "qemu-system-x86_64", package: "qemu-system-x86" },
  { tool: "/usr/share/seabios/bios-256k.bin", package: "seabios" },
  { tool: "/usr/share/OVMF/OVMF_CODE_4M.fd", package: "ovmf" },
  { tool: "swtpm", package: "swtpm" },
  { tool: "grub-mkimage", package: "grub-common" },
  { tool: "sfdisk", package: "fdisk" },
  { tool: "mke2fs", package: "e2fsprogs" },
  { tool: "debugfs", package: "e2fsprogs" },
  { tool: "mkfs.xfs", package: "xfsprogs" },
  { tool: "mkfs.btrfs", package: "btrfs-progs" },
  { tool: "setfacl", package: "acl" },
  { tool: "mkfs.vfat", package: "dosfstools" },
  { tool: "mcopy", package: "mtools" },
  { tool: "mkfs.exfat", package: "exfatprogs" },
  { tool: "mount.exfat-fuse", package: "exfat-fuse" },
  { tool: "ntfs-3g", package: "ntfs-3g" },
  { tool: "fusermount3", package: "fuse3" },
  { tool: "fls", package: "sleuthkit" },
  { tool: "setfattr", package: "attr" },
  { tool: "cpio", package: "cpio" },
  { tool: "openssl", package: "openssl" },
  { tool: "nbdinfo", package: "libnbd-bin" },
  { tool: "flock", package: "util-linux" },
  { tool: "mmdebstrap", package: "mmdebstrap" },
  { tool: "sshd", package: "openssh-server" },
  { tool: "sftp", package: "openssh-client" },
];

/** Ceph's object gateway, the S3 server of tests and bench; started by test/fixtures/cephGateway.sh. */
const s3Server = [
  { tool: "radosgw", package: "radosgw" },
  { tool: "radosgw-admin", package: "ceph-common" },
  { tool: "ceph-mon", package: "ceph-mon" },
  { tool: "ceph-osd", package: "ceph-osd" },
  { tool: "ceph", package: "ceph-common" },
];

/** In front of it, as an operator would run it. */
const s3Proxy = [{ tool: "haproxy", package: "haproxy" }];

const peers = [
  { tool: "restic", package: "restic" },
  { tool: "borg", package: "borgbackup" },
  { tool: "time", package: "time" },
];

/** The browser in which the extension is tested, and letters for it. */
const editor = [
  { tool: "chromium", package: "chromium" },
  { tool: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", package: "fonts-dejavu-core" },
];

const byCommand = {
  build: [],
  editor,
  test: [...everywhere, ...s3Server, ...s3Proxy],
  demo: everywhere,
  story: everywhere,
  campaign: [...everywhere, ...s3Server],
  bench: [...everywhere, ...s3Server, ...peers],
  "bench-editor": [...everywhere, ...s3Server, ...editor],
};

export function debianToolsFor(command) {
  return byCommand[command] || [];
}
