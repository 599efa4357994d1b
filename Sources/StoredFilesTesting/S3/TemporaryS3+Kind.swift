extension TemporaryS3 {
    /// Which server it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
        /// OpenStack Swift with its S3 API: strict about signatures, hashes, dates and the sizes of parts, and it has
        /// `If-None-Match: *` on uploads.
        case openStackSwift
        /// `rclone serve s3` over memory: quick, for load; it verifies signatures, and ignores conditions and hashes.
        case rclone

        /// The program's name.
        public var description: String {
            switch self {
            case .openStackSwift: "OpenStack Swift"
            case .rclone: "rclone serve s3"
            }
        }
    }

    /// The command that starts the server in its directory.
    func command(port: Int) -> [String] {
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
        }
    }

    /// The scripts in Python, which are in the library and written to the directory of each server.
    enum Program: String, CaseIterable {
        case openStackSwift = "openstack_swift"
        case certificates
        case makeBuckets = "make_buckets"

        var source: [UInt8] {
            switch self {
            case .openStackSwift: PackageResources.openstack_swift_py
            case .certificates: PackageResources.certificates_py
            case .makeBuckets: PackageResources.make_buckets_py
            }
        }
    }

    func path(of program: Program) -> String {
        "\(directory)/\(program.rawValue).py"
    }
}
