import Foundation
import StoredFiles

/// The settings from the command line, and the addresses that `WORKDIR/env.sh` of the peers puts into the environment.
struct Settings: Sendable {
    enum Durability: String, Sendable {
        case fsync
        case none
    }

    let work: String
    let n: Int
    let concurrency: Int
    /// Bytes in a file.
    let size: Int
    /// A value that decides whether a stored file is on the disk when `upload` returns.
    ///
    /// The library's default, and no other peer's.
    let durability: Durability
    /// A Boolean value that indicates whether the SHA-256 of what is uploaded is computed: the library's default, and
    /// no other peer's.
    let computesSHA256: Bool

    init(arguments: [String]) throws {
        let usage = "usage: bench WORK --n N --concurrency C --size BYTES [--durability fsync|none] [--no-sha256]"
        var work: String?
        var n: Int?
        var concurrency = 1
        var size = 0
        var durability = Durability.fsync
        var computesSHA256 = true
        var rest = arguments[...]
        func number(after option: String, atLeast least: Int) throws -> Int {
            guard let text = rest.popFirst(), let value = Int(text), value >= least else {
                throw BenchError("\(option) wants a number of at least \(least)\n\(usage)")
            }
            return value
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--n": n = try number(after: argument, atLeast: 1)
            case "--concurrency": concurrency = try number(after: argument, atLeast: 1)
            case "--no-sha256": computesSHA256 = false
            case "--size": size = try number(after: argument, atLeast: 0)
            case "--durability":
                guard let value = rest.popFirst().flatMap(Durability.init) else {
                    throw BenchError("--durability wants fsync or none\n\(usage)")
                }
                durability = value
            default:
                guard work == nil, !argument.hasPrefix("-") else {
                    throw BenchError("cannot read \"\(argument)\"\n\(usage)")
                }
                work = argument
            }
        }
        guard let work, let n else { throw BenchError(usage) }
        self.work = work
        self.n = n
        self.concurrency = concurrency
        self.size = size
        self.durability = durability
        self.computesSHA256 = computesSHA256
    }

    func environment(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            throw BenchError("\(name) is not set: source WORKDIR/env.sh of the peers first")
        }
        return value
    }

    /// The connection string of the peers' database.
    func conninfo() throws -> String {
        """
        host=\(try environment("PEERS_PG_HOST")) port=\(try environment("PEERS_PG_PORT")) \
        user=\(try environment("PEERS_PG_USER")) password=\(try environment("PEERS_PG_PASSWORD")) \
        dbname=\(try environment("PEERS_PG_DB")) sslmode=disable
        """
    }

    func fixture(_ path: String) throws -> String {
        try environment("PEERS_FIXTURES") + "/" + path
    }

    /// A new, empty folder beside those of the other peers.
    ///
    /// `run.py` removes them all when it has ended: deleting many
    /// files just before the next peer's turn would make that turn dearer (see `Ctx.cleanup` in `lib.py`).
    func scratchFolder() throws -> String {
        let folder = try environment("PEERS_WORK") + "/scratch/\(work)-stored-files-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    func fileSystemStorage(at folder: String) throws -> FileSystemStorage {
        try FileSystemStorage(root: folder, durability: durability == .fsync ? .fsync : .none)
    }

    /// Bytes that no compression and no copy-on-write shortens.
    func randomBytes() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 8)
        while bytes.count < size {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(size))
    }

    /// A name as a browser sends it: it needs sanitising, and is unique after it.
    static func rawName(_ index: Int) -> String {
        let digits = String(index)
        return "Quarterly Report \(String(repeating: "0", count: max(0, 7 - digits.count)))\(digits) (final).pdf"
    }
}
