import Foundation
import Logging
import StoredFiles

/// The knowledge that all processes of a run share: the databases, and the folder in which they leave word for each
/// other.
struct Scene: Codable, Sendable {
    /// Two databases on one server, whose files are in two folders of one storage.
    static let sides = ["left", "right"]
    /// The time that a file waits for its row.
    static let claimPeriod = Duration.seconds(1)
    static let tombstoneAge = Duration.seconds(8)

    /// The name of the process that starts the others.
    static let conductor = "conductor"

    let folder: String
    let urls: [String]
    /// The file in which the server keeps the id of its process.
    let processFile: String

    init(folder: String, urls: [String], processFile: String) {
        self.folder = folder
        self.urls = urls
        self.processFile = processFile
    }

    init(folder: String) throws {
        self = try JSONDecoder().decode(Scene.self, from: Data(contentsOf: URL(filePath: folder + "/scene.json")))
    }

    func save() throws {
        try JSONEncoder().encode(self).write(to: URL(filePath: folder + "/scene.json"))
    }

    var root: String { folder + "/files" }

    func log(_ name: String) -> String { "\(folder)/logs/\(name).log" }

    /// Writes down what the conductor does, with the time, beside what others do with names.
    func note(_ text: String) {
        StorageLog.append("\(Clock.now) \(text)\n", to: log(Self.conductor))
    }

    /// The storages of a side; with the name of a process they are as reliable as the weather, and what is done is
    /// logged.
    func storages(of side: Int, for process: String? = nil, _ dice: Dice = Dice(0), crashes: Bool = false) throws
        -> StorageRegistry
    {
        let base = try FileSystemStorage(root: root, durability: .none)
        func storage(_ id: StorageID) throws -> any Storage {
            let storage = try PrefixedStorage(prefix: "\(Self.sides[side])/\(id.rawValue)", of: base)
            guard let process else { return storage }
            let log = StorageLog(log("storage-\(process)"), prefix: "\(Self.sides[side])/\(id.rawValue)/")
            return UnreliableStorage(
                base: storage,
                weather: weather(side),
                dice: dice.fork(),
                log: log,
                crash: crashes && id == .papers ? (crash, side) : nil
            )
        }
        return StorageRegistry([.papers: try storage(.papers), .pictures: try storage(.pictures)])
    }

    func weather(_ side: Int) -> Flag { Flag(path: "\(folder)/weather-\(side)") }

    var crash: ServerCrash { ServerCrash(folder: folder, processFile: processFile) }

    /// An odd number while tables are not what their models say.
    func upheaval(_ side: Int) -> Flag { Flag(path: "\(folder)/upheaval-\(side)") }

    func connect(
        _ side: Int,
        _ storages: StorageRegistry,
        name: String,
        poolSize: Int,
        settings: [String: String] = [:]
    ) async throws -> Database {
        var configuration = DatabaseConfiguration(poolSize: poolSize, applicationName: name)
        configuration.connectBackoff = .milliseconds(50)
        configuration.sessionSettings = ["lock_timeout": "10s"].merging(settings) { $1 }
        // What the server says of each session that is ended would fill the terminal.
        configuration.logger.logLevel = name == Self.conductor ? .critical : .notice
        return try await Database.connect(
            urls[side],
            storages: storages,
            lifecycle: LifecycleConfiguration(claimPeriod: Self.claimPeriod),
            configuration: configuration
        )
    }
}

/// A word in a file, which one process leaves and others read.
struct Flag: Sendable {
    let path: String

    var text: String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = fread(&bytes, 1, bytes.count, file)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    var number: Int { text.flatMap { Int($0) } ?? 0 }

    /// Readers find the old word or the new one.
    func set(_ text: String?) {
        guard let text else {
            unlink(path)
            return
        }
        _ = FileManager.default.createFile(atPath: path + ".new", contents: Data(text.utf8))
        rename(path + ".new", path)
    }
}

/// An error that nobody has foreseen.
struct ChaosError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
