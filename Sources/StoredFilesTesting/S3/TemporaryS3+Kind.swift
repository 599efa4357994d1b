extension TemporaryS3 {
    /// The kind of a server.
    public enum Kind: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
        /// OpenStack Swift with its S3 API: strict about signatures, hashes, dates and the sizes of parts, and it has
        /// `If-None-Match: *` on uploads, of which two at the same time may both succeed. It takes no forms.
        case openStackSwift
        /// `rclone serve s3` over memory: quick, for load; it verifies signatures, and ignores conditions and hashes.
        case rclone
        /// SeaweedFS, all its parts in one process: it verifies signatures, hashes and the policies of forms, and
        /// honours `If-None-Match: *` and `If-Match`.
        ///
        /// Of uploads and copies that want the object to be absent exactly one succeeds; of several multipart uploads
        /// that are completed at the same time, more than one may. It lists directory by directory, so not in the order
        /// of the bytes, and takes `a//b` for `a/b`, refuses the segments `.` and `..`, drops metadata with an empty
        /// value, and takes fields of a form that its policy does not name, unless they are metadata.
        case seaweedFS
        /// The S3 part of moto, an imitation of AWS in Python with everything in memory.
        ///
        /// It verifies neither signatures nor hashes nor dates. It honours conditions of uploads, of which two at the
        /// same time may both succeed, and ignores those of copies and of multipart replacements: good for a test of
        /// how a client treats such a server, and for nothing else.
        case moto

        /// The program's name.
        public var description: String {
            switch self {
            case .openStackSwift: "OpenStack Swift"
            case .rclone: "rclone serve s3"
            case .seaweedFS: "SeaweedFS"
            case .moto: "moto"
            }
        }

        /// The number of ports on which it listens.
        var portCount: Int { self == .seaweedFS ? TemporaryS3.seaweedFSPorts.count : 1 }

        /// A Boolean value that indicates whether it ends soon after SIGTERM: SeaweedFS takes 25 seconds, and has
        /// written everything before it responds; moto waits for its connections.
        var endsWhenAsked: Bool { self != .seaweedFS && self != .moto }

        /// The way in which a watchdog ends it.
        var watchdogTarget: ServerWatchdog.Target { endsWhenAsked ? .server : .unwillingServer }
    }

    /// Writes what the server reads from files.
    func configure(_ ports: [Int]) throws {
        if kind == .seaweedFS { try configureSeaweedFS(ports) }
    }

    /// Waits until all parts of the server know each other, when the one for S3 has begun to listen.
    func waitForParts(_ process: ServerProcess) async throws {
        if kind == .seaweedFS { try await waitForVolumesOfSeaweedFS(process) }
    }

    /// The command that starts the server in its directory.
    func command(_ ports: [Int]) -> [String] {
        switch kind {
        case .openStackSwift:
            let tls = usesTLS ? [certificateFile, keyFile] : []
            return [programs.python, path(of: .openStackSwift), directory, "\(port)", accessKeyID, secretAccessKey]
                + tls
        case .rclone:
            let tls = usesTLS ? ["--cert", certificateFile, "--key", keyFile] : []
            return [
                programs.rclone, "serve", "s3", ":memory:", "--addr", "\(host):\(port)",
                "--auth-key", "\(accessKeyID),\(secretAccessKey)",
                "--config", "\(directory)/rclone.conf", "--cache-dir", "\(directory)/cache", "--vfs-cache-mode", "off",
            ] + tls
        case .seaweedFS:
            return seaweedFSCommand(ports)
        case .moto:
            let tls = usesTLS ? ["-s", "-c", certificateFile, "-k", keyFile] : []
            // The option means nothing to Python. The watchdog ends processes that have the directory in their
            // arguments.
            return [programs.python, "-X", "directory=\(directory)", programs.moto, "-H", host, "-p", "\(port)"] + tls
        }
    }

    /// The scripts in Python, which are in the library and written to the directory of each server.
    enum Program: String, CaseIterable {
        case openStackSwift = "openstack_swift"
        case seaweedFSReady = "seaweedfs_ready"
        case certificates
        case makeBuckets = "make_buckets"

        var source: [UInt8] {
            switch self {
            case .openStackSwift: PackageResources.openstack_swift_py
            case .seaweedFSReady: PackageResources.seaweedfs_ready_py
            case .certificates: PackageResources.certificates_py
            case .makeBuckets: PackageResources.make_buckets_py
            }
        }
    }

    func path(of program: Program) -> String {
        "\(directory)/\(program.rawValue).py"
    }
}
