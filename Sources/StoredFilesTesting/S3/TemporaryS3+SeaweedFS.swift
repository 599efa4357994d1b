import Foundation

extension TemporaryS3 {
    /// The names of its ports: each part listens on one for HTTP and on one for the other parts.
    static let seaweedFSPorts = ["s3", "master", "volume", "filer"].flatMap { ["\($0).port", "\($0).port.grpc"] }

    /// All parts in one process.
    func seaweedFSCommand(_ ports: [Int]) -> [String] {
        let ports = zip(Self.seaweedFSPorts, ports).map { "-\($0)=\($1)" }
        let tls = usesTLS ? ["-s3.cert.file=\(certificateFile)", "-s3.key.file=\(keyFile)"] : []
        let command: [String] = [
            // Go would let eight uploads of 8 MiB at the same time grow it to 600 MB.
            "/usr/bin/env", "GOMEMLIMIT=384MiB",
            // -v=-1 logs what goes wrong, and nothing else.
            programs.weed, "-v=-1", "-config_dir=\(directory)", "server",
            "-dir=\(directory)/\(seaweedFSData)", "-ip=\(host)", "-ip.bind=\(host)",
            // Without the election that a master begins with, everything is there a second earlier.
            "-master.peers=none", "-master.telemetry=false", "-master.volumeSizeLimitMB=1000",
            // Each bucket has a volume of its own.
            "-volume.max=10000", "-volume.minFreeSpace=10MiB",
            "-filer", "-filer.localSocket=filer.sock",
            "-s3", "-s3.localSocket=s3.sock", "-s3.config=\(directory)/s3.json", "-s3.autoCreateBucket=false",
            "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        ]
        return command + ports + tls
    }

    /// Writes its settings; those it does not find beside it, it would look for in the user's and the system's folders.
    func configureSeaweedFS(_ ports: [Int]) throws {
        // Other ports have other data: a start that failed because one was taken has left some.
        try FileManager.default.createDirectory(
            atPath: "\(directory)/\(seaweedFSData)",
            withIntermediateDirectories: true
        )
        let growth = ["copy_1", "copy_2", "copy_3", "copy_other"].map { "\($0) = 1\n" }.joined()
        try write("[master.volume_growth]\n\(growth)", to: "master.toml")
        try write("[leveldb2]\nenabled = true\ndir = \"\(seaweedFSData)/filer\"\n", to: "filer.toml")
        for name in ["security", "credential", "notification"] { try write("", to: "\(name).toml") }
        let key = SeaweedFSIdentities.Key(accessKey: accessKeyID, secretKey: secretAccessKey)
        try JSONEncoder().encode(SeaweedFSIdentities(key)).write(to: URL(fileURLWithPath: "\(directory)/s3.json"))
        try noteSocketsOfSeaweedFS(ports)
    }

    /// The sockets over which its parts talk have fixed places, and stay when it is killed.
    private func noteSocketsOfSeaweedFS(_ ports: [Int]) throws {
        let file = "\(directory)/\(ServerWatchdog.outsideFile)"
        // After those of the starts before.
        var paths = folder.text(of: file)
        for (name, port) in zip(Self.seaweedFSPorts, ports) where name.hasSuffix(".port.grpc") {
            paths += "/tmp/seaweedfs-\(name.prefix { $0 != "." })-grpc-\(port).sock\n"
        }
        try write(paths, to: ServerWatchdog.outsideFile)
    }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }

    /// Relative, because the server's directory is its working directory.
    private var seaweedFSData: String { "data-\(port)" }

    /// Waits until the part that keeps the bytes has reported to the one that knows where they are.
    ///
    /// - Throws: `TemporaryServerError.startFailed`; `CancellationError`.
    func waitForVolumesOfSeaweedFS(_ process: ServerProcess) async throws {
        let master = zip(Self.seaweedFSPorts, ports).first { $0.0 == "master.port" }?.1 ?? 0
        let output = "\(directory)/ready.log"
        let clock = ContinuousClock()
        let start = clock.now
        // In short turns, so that one that has ended is not waited for.
        let command = [programs.python, path(of: .seaweedFSReady), "\(host):\(master)", "2"]
        while try await folder.run(command, output: output) != 0 {
            try Task.checkCancellation()
            if let status = process.endStatus { throw failure("it ended with status \(status)", log: serverLog) }
            guard clock.now - start < Self.startTimeout else { throw failure("its parts did not meet", log: output) }
        }
    }
}

/// The identities and their permissions, as SeaweedFS reads them.
private struct SeaweedFSIdentities: Encodable {
    struct Key: Encodable {
        var accessKey: String
        var secretKey: String
    }

    struct Identity: Encodable {
        var name = "tests"
        var credentials: [Key]
        var actions = ["Admin", "Read", "Write", "List", "Tagging"]
    }

    var identities: [Identity]

    init(_ key: Key) {
        identities = [Identity(credentials: [key])]
    }
}
