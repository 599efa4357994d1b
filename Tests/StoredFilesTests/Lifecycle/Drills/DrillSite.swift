import Foundation
import NIOCore
import StoredFiles
import StoredFilesTesting
import Testing

/// The drills of BACKUPS.md, one after the other: each has servers of its own.
@Suite("Backup drills", .serialized, .timeLimit(.minutes(10)))
enum Drills {}

/// The site of a drill: a folder of files that are kept with the rows, and a place for backups.
///
/// What the page has a person type is run as it stands there.
struct DrillSite: Sendable {
    /// A folder that everybody may enter, the server's user, too.
    let folder: String

    /// The folder of the files of the storages.
    var files: String { "\(folder)/files" }

    static func run(_ body: (DrillSite) async throws -> Void) async throws {
        let folder = "/tmp/drill-\(UUID().uuidString.prefix(8))"
        for path in ["", "/files", "/backup"] {
            try FileManager.default.createDirectory(
                atPath: folder + path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o777]
            )
            // The creation goes by the umask.
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder + path)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(DrillSite(folder: folder))
    }

    // MARK: The page

    /// The commands under a mark of the page, without the indentation of a list.
    static func commands(_ mark: String) throws -> String {
        let blocks = try blocks().filter { $0.mark == mark }
        try #require(blocks.count == 1, "BACKUPS.md has no commands that are marked \"\(mark)\", or has them twice")
        return blocks[0].commands
    }

    /// All commands of the page, each with the mark above it.
    static func blocks() throws -> [(mark: String?, commands: String)] {
        var blocks: [(mark: String?, commands: String)] = []
        var before = ""
        var lines = try page().components(separatedBy: "\n")[...]
        while let line = lines.popFirst() {
            let text = line.drop { $0 == " " }
            if text == "```sh" {
                let indentation = line.count - text.count
                let body = lines.prefix { $0.drop { $0 == " " } != "```" }
                lines = lines.dropFirst(body.count + 1)
                let mark = before.hasPrefix("<!-- drill: ") ? String(before.dropFirst(12).dropLast(4)) : nil
                blocks.append((mark, body.map { $0.dropFirst(indentation) + "\n" }.joined()))
            }
            before = String(text)
        }
        return blocks
    }

    static func page() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../..").standardized
        return try String(contentsOf: root.appending(path: "BACKUPS.md"), encoding: .utf8)
    }

    /// Runs the commands under a mark of the page, in the folder of backups.
    @discardableResult
    func type(
        _ mark: String,
        on server: TemporaryPostgres,
        _ variables: [String: String],
        asServerUser: Bool = false
    ) async throws -> String {
        let variables = variables.merging(["FILES": "\(files)/papers", "BACKUP": "\(folder)/backup"]) { $1 }
        return try await server.shell(
            "cd \"$BACKUP\"\n" + Self.commands(mark),
            variables,
            asServerUser: asServerUser
        )
    }

    // MARK: Databases

    /// Starts a program that works with a database and the files: a new one knows nothing of what a former one found
    /// out.
    func open(
        _ url: String,
        environment: String? = nil,
        claimPeriod: Duration = .seconds(3600)
    ) async throws -> Database {
        try await Database.connect(
            url,
            storages: StorageRegistry([
                .papers: try FileSystemStorage(root: "\(files)/papers"),
                .pictures: try FileSystemStorage(root: "\(files)/pictures"),
            ]),
            lifecycle: LifecycleConfiguration(claimPeriod: claimPeriod, environment: environment)
        )
    }

    /// A server that keeps what it has committed, with a database that is migrated.
    func startProduction(
        settings: [String: String] = [:]
    ) async throws -> (server: TemporaryPostgres, url: String, database: Database) {
        let settings = ["synchronous_commit": "on"].merging(settings) { $1 }
        let server = try await TemporaryPostgres.start(TemporaryPostgres.Configuration(settings: settings))
        let url = try await server.makeDatabase(named: "app")
        let database = try await open(url)
        try await database.migrate(albumMigrations)
        return (server, url, database)
    }

    /// The names that are in the folder, each as it was given to ``Database/save(_:)``.
    func stored() throws -> [String] {
        let found = FileManager.default.enumerator(atPath: "\(files)/papers")?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".txt") }.map { title(of: $0) }.sorted()
    }
}

extension TemporaryPostgres {
    /// Returns what psql prints for a query, on the server's own database.
    func answer(_ query: String) async throws -> String {
        try await shell(#"psql -XAt "$URL" -c "$QUERY""#, ["URL": url, "QUERY": query])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Returns the title of a file of the drills: its name without folders and ending.
func title(of name: String) -> String {
    String(name.split(separator: "/").last?.dropLast(".txt".count) ?? "")
}

extension Database {
    /// Stores a file for rows to come.
    func store(_ title: String) async throws -> StorageFile {
        try await store(.string("of \(title)"), named: "\(title).txt", for: \Album.$paper)
    }

    /// Makes a row with a file.
    @discardableResult
    func save(_ title: String) async throws -> String {
        var album = Album(title: title)
        album.paper = try await store(title)
        try await insert(&album)
        return album.paper?.name.string ?? ""
    }

    /// Gives a file a row, by its name: as `psql` does it.
    func name(_ name: String) async throws {
        try await execute("INSERT INTO albums (title, paper) VALUES (\(title(of: name)), \(name))")
    }

    func remove(_ titles: String...) async throws {
        try await execute("DELETE FROM albums WHERE title = ANY (\(titles))")
    }

    /// Deletes what is due, without the hour's grace.
    func reapAtOnce(tombstoneAge: Duration = .seconds(86_400)) async throws -> ReapReport {
        try await reap(
            ReaperConfiguration(retention: .zero, tombstoneAge: tombstoneAge),
            waitLimit: .seconds(60)
        )
    }

    /// Deletes what is due; a storage that is refused is an error.
    @discardableResult
    func reapUnrefused(tombstoneAge: Duration = .seconds(86_400)) async throws -> ReapReport {
        let report = try await reapAtOnce(tombstoneAge: tombstoneAge)
        for refusal in report.refusals { throw refusal.error }
        return report
    }

    /// Returns the findings of fsck: `dangling a`, `orphan b`.
    func findings() async throws -> [String] {
        var found: [String] = []
        try await fsck(.papers, FsckConfiguration(minimumAge: .zero)) { finding in
            switch finding {
            case .orphan(let file): found.append("orphan \(title(of: file.name.string))")
            case .danglingRow(let reference): found.append("dangling \(title(of: reference.name))")
            case .wrongSize(let reference, _, _): found.append("size \(title(of: reference.name))")
            }
        }
        return found.sorted()
    }

    /// The titles of all rows that have a file, each of which must open with the bytes that were stored.
    func readable() async throws -> [String] {
        var titles: [String] = []
        for album in try await all(Album.self, "WHERE paper IS NOT NULL ORDER BY title") {
            let bytes = try await album.paper?.open().collect(upTo: 1 << 20)
            #expect(bytes == ByteBuffer(string: "of \(album.title)"))
            titles.append(album.title)
        }
        return titles
    }

    /// Nothing is deleted, by the reaper or by anybody else who would, and the error says why.
    func expectRefusal(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let report = try await reapAtOnce()
        let refusal = report.refusals.first { $0.storage == .papers }?.error as? StorageError
        #expect(refusal?.code == .notOwner, sourceLocation: sourceLocation)
        #expect(refusal?.message.contains(text) == true, sourceLocation: sourceLocation)
        #expect(report.deleted == 0, sourceLocation: sourceLocation)
        let purge = await #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try await self.purge(StorageName(validating: "x"), in: .papers)
        }
        #expect(purge?.code == .notOwner, sourceLocation: sourceLocation)
        let mending = await #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try await files("mend", .papers, in: self)
        }
        #expect(mending?.code == .notOwner, sourceLocation: sourceLocation)
    }

    /// Adopts all storages, as the page says.
    func adoptAll() async throws {
        for storage in [StorageID.papers, .pictures] { _ = try await files("adopt", storage, in: self) }
    }
}
