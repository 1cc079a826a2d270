// Machine configurations as Proxmox and libvirt write them.

export const PROXMOX = `#A web server%0Asecond line
#qmdump#map:scsi0:drive-scsi0:local-lvm::
agent: 1,fstrim_cloned_disks=1
args: -device evil
balloon: 1024
bios: ovmf
boot: order=virtio1;scsi0;net0
cores: 4
cpu: host,flags=+aes
efidisk0: local-lvm:vm-100-disk-0,efitype=4m,pre-enrolled-keys=1,size=4M
hookscript: local:snippets/hook.pl
hostpci0: 0000:01:00.0,pcie=1
ide2: local:iso/debian-12.iso,media=cdrom,size=600M
ide3: none,media=cdrom
machine: pc-q35-8.1+pve0
memory: 16384
meta: creation-qemu=8.1.5,ctime=1700000000
name: web1
net0: virtio=BC:24:11:AA:BB:CC,bridge=vmbr0,firewall=1,tag=20
net1: model=e1000,macaddr=BC:24:11:AA:BB:CD,link_down=1
net2: ne2k_pci=BC:24:11:AA:BB:CE
numa: 0
ostype: win11
scsi0: local-lvm:vm-100-disk-1,discard=on,iothread=1,size=32G,ssd=1
scsi1: local-lvm:vm-100-disk-9,backup=0,size=100G
scsihw: virtio-scsi-single
serial0: socket
smbios1: uuid=4A4B4C4D-0000-4000-8000-000000000001,manufacturer=QQ==,base64=1
sockets: 2
tpmstate0: local-lvm:vm-100-disk-2,size=4M,version=v2.0
unused0: local-lvm:vm-100-disk-7
usb0: host=1234:5678
vcpus: 6
virtio1: local-lvm:vm-100-disk-3,size=8G
vmgenid: 5b1c0000-0000-4000-8000-000000000002

[before-upgrade]
memory: 1
scsi5: local-lvm:vm-100-disk-66
`;

export const LIBVIRT = `<?xml version="1.0"?>
<!-- WARNING: THIS IS AN AUTO-GENERATED FILE. -->
<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web &amp; mail</name>
  <uuid>4a4b4c4d-0000-4000-8000-000000000001</uuid>
  <memory unit='GiB'>8</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <vcpu placement='static' current='2'>4</vcpu>
  <os firmware='efi'>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <firmware><feature enabled='yes' name='secure-boot'/></firmware>
    <loader readonly='yes' secure='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.ms.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd'>/var/lib/libvirt/qemu/nvram/web1_VARS.fd</nvram>
  </os>
  <cpu mode='host-passthrough'/>
  <clock offset='localtime'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw'/>
      <source dev='/dev/vg0/data'/>
      <target dev='sda' bus='scsi'/>
      <address type='drive' controller='1' bus='0' target='0' unit='0'/>
      <boot order='2'/>
    </disk>
    <disk type='file' device='disk'>
      <source file='/var/lib/libvirt/images/we&#98;1.qcow2'/>
      <target dev='vda' bus='virtio'/>
      <boot order='1'/>
    </disk>
    <disk type='file' device='cdrom'>
      <source file='/iso/debian.iso'/>
      <target dev='sdb' bus='sata'/>
    </disk>
    <disk type='block' device='lun'>
      <source dev='/dev/sdz'/>
      <target dev='sdc' bus='scsi'/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <controller type='scsi' index='1' model='lsisas1078'/>
    <interface type='bridge'>
      <mac address='52:54:00:11:22:33'/>
      <source bridge='br0'/>
      <model type='e1000e'/>
    </interface>
    <interface type='network'>
      <source network='default'/>
    </interface>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
    <hostdev mode='subsystem' type='pci'/>
    <filesystem type='mount'><source dir='/'/><target dir='root'/></filesystem>
  </devices>
  <qemu:commandline><qemu:arg value='-evil'/></qemu:commandline>
</domain>
`;
