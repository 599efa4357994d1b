/// The kind of a file system.
struct FileSystemKind: Hashable, Sendable {
    /// Its name as `mount` has it, such as `ext4`; the number in hexadecimal of one that is not known here.
    var name: String
    /// A Boolean value that indicates whether the file system is known to lie on a device of this machine: looking at
    /// what is cached never waits for a server, or for a program behind FUSE.
    var isLocal: Bool

    init(name: String, isLocal: Bool) {
        self.name = name
        self.isLocal = isLocal
    }

    /// The file system of a number in `f_type` of `fstatfs`.
    init(type: UInt64) {
        if let name = Self.local[type] {
            self.init(name: name, isLocal: true)
        } else {
            self.init(name: Self.others[type] ?? "0x" + String(type, radix: 16), isLocal: false)
        }
    }

    // The numbers are those of linux/magic.h and of the file systems' own sources.
    private static let local: [UInt64: String] = [
        0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x0102_1994: "tmpfs", 0x8584_58F6: "ramfs",
        0xF2F5_2010: "f2fs", 0x2FC1_2FC1: "zfs", 0xCA45_1A4E: "bcachefs", 0x3153_464A: "jfs", 0x5265_4973: "reiserfs",
        0x3434: "nilfs2", 0xE0F5_E1E2: "erofs", 0x7371_7368: "squashfs", 0x9660: "iso9660", 0x1501_3346: "udf",
        0x4D44: "vfat", 0x2011_BAB0: "exfat", 0x7366_746E: "ntfs3", 0x4244: "hfs", 0x482B: "hfsplus",
    ]

    /// Across a network, served by a program, or lying over another one, which may be anything.
    private static let others: [UInt64: String] = [
        0x6969: "nfs", 0x517B: "smb", 0xFF53_4D42: "cifs", 0xFE53_4D42: "cifs", 0x6573_5546: "fuse",
        0x0102_1997: "9p", 0x00C3_6400: "ceph", 0x5346_414F: "afs", 0x6B41_4653: "kafs", 0x7375_7245: "coda",
        0x0BD0_0BD0: "lustre", 0x0116_1970: "gfs2", 0x7461_636F: "ocfs2", 0x4750_4653: "gpfs", 0x1983_0326: "beegfs",
        0x2003_0528: "orangefs", 0x786F_4256: "vboxsf", 0xBACB_ACBC: "vmhgfs", 0x794C_7630: "overlay",
        0xF15F: "ecryptfs", 0x6175_6673: "aufs", 0x5346_544E: "ntfs", 0x0187: "autofs", 0x7C7C_6673: "prl_fs",
    ]
}
