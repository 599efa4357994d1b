import Foundation
import LifecycleTestSupport
import NIOCore
import StoredFiles

/// A program that works with rows and files until somebody kills it, or until it kills itself at a failpoint.
///
/// Arguments: the database, a ``SheetPlace``, a seed, the name of a failpoint or `none`, and at which occurrence
/// of it to die. It prints `ready` when it begins. With `migrate` in place of the last three it migrates and ends.
///
/// `Scripts/mixed-versions` builds it with former versions of the library, so it uses nothing that those have not, but
/// for lines that end in `// Not in former versions.`, which the script leaves out.
@main
struct LifecycleWorker {
    let database: Database
    let place: SheetPlace
    let failpoints: Failpoints

    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.count == 4, arguments[3] == "migrate", let place = SheetPlace(arguments[2]) {
            return try await migrate(arguments[1], place)
        }
        guard arguments.count == 6, let seed = UInt64(arguments[3]), let occurrence = Int(arguments[5]),
            let place = SheetPlace(arguments[2])
        else {
            throw WorkerError(message: "usage: LifecycleWorker DATABASE PLACE SEED FAILPOINT|none OCCURRENCE")
        }
        let storage = try place.makeStorage()
        var lifecycle = LifecycleConfiguration(claimPeriod: .milliseconds(300))
        lifecycle.requiresConditionalUploads = false  // Not in former versions.
        let database = try await Database.connect(
            arguments[1],
            storages: StorageRegistry([.sheets: storage]),
            lifecycle: lifecycle
        )
        let failpoints = Failpoints(Failpoint(rawValue: arguments[4]), occurrence: occurrence)
        failpoints.observe(database)
        // Unbuffered: the other end waits for it.
        try FileHandle.standardOutput.write(contentsOf: Data("ready\n".utf8))
        let worker = LifecycleWorker(database: database, place: place, failpoints: failpoints)
        await withTaskGroup(of: Void.self) { group in
            for lane in 0..<2 {
                var generator = SplitMix64(state: seed &+ UInt64(lane))
                group.addTask { await worker.work(&generator) }
            }
            group.addTask { await worker.reap() }
        }
    }

    private static func migrate(_ address: String, _ place: SheetPlace) async throws {
        let database = try await Database.connect(
            address,
            storages: StorageRegistry([.sheets: try place.makeStorage()])
        )
        try await database.migrate(sheetMigrations)
        await database.close()
    }

    private func work(_ generator: inout SplitMix64) async {
        while true {
            do {
                try await step(&generator)
            } catch {
                // The server may have been killed, or another lane was faster; there is always a next step.
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private func reap() async {
        let configuration = ReaperConfiguration(
            retention: .zero,
            tombstoneAge: .milliseconds(50),
            lease: .milliseconds(500)
        )
        while true {
            _ = try? await database.reap(configuration, waitLimit: .milliseconds(20))
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func step(_ generator: inout SplitMix64) async throws {
        let contents = SheetContents(seed: generator.next(), byteCount: place.byteCount(generator.next()))
        let original = sheetOriginals.randomElement(using: &generator) ?? "sheet.bin"
        switch generator.next() % 8 {
        case 0, 1, 2: try await insert(contents, original)
        case 3: try await insertOutsideATransaction(contents, original)
        case 4: try await replace(contents, original)
        case 5, 6: try await delete()
        default: try await rollBack(contents, original)
        }
    }

    private func body(_ contents: SheetContents) -> UploadBody {
        .stream(DyingChunks(bytes: contents.bytes, failpoints: failpoints), length: Int64(contents.byteCount))
    }

    private func insert(_ contents: SheetContents, _ original: String) async throws {
        try await database.transaction { transaction in
            var sheet = Sheet(recipe: contents.recipe)
            sheet.file = try await transaction.store(body(contents), named: original, for: \Sheet.$file)
            try await transaction.insert(&sheet)
            failpoints.reach(.written)
        }
        failpoints.reach(.committed)
    }

    private func insertOutsideATransaction(_ contents: SheetContents, _ original: String) async throws {
        var sheet = Sheet(recipe: contents.recipe)
        sheet.file = try await database.store(body(contents), named: original, for: \Sheet.$file)
        try await database.insert(&sheet)
        failpoints.reach(.committed)
    }

    private func any() async throws -> Sheet? {
        try await database.first(Sheet.self, "ORDER BY random()")
    }

    private func replace(_ contents: SheetContents, _ original: String) async throws {
        guard var sheet = try await any() else { return }
        sheet.recipe = contents.recipe
        sheet.file = try await database.store(body(contents), named: original, for: \Sheet.$file)
        let changed = sheet
        try await database.transaction { transaction in
            try await transaction.update(changed)
            failpoints.reach(.replaced)
        }
    }

    private func delete() async throws {
        try await database.transaction { transaction in
            try await transaction.execute(
                // Some stay, so that there is something to look at in the end.
                "DELETE FROM sheets WHERE id IN (SELECT id FROM sheets ORDER BY random() LIMIT 3 OFFSET 10)"
            )
            failpoints.reach(.rowDeleted)
        }
    }

    /// A savepoint that is rolled back, and one that is not.
    private func rollBack(_ contents: SheetContents, _ original: String) async throws {
        struct Stop: Error {}
        try await database.transaction { outer in
            do {
                try await outer.transaction { inner in
                    var sheet = Sheet(recipe: contents.recipe)
                    sheet.file = try await inner.store(body(contents), named: original, for: \Sheet.$file)
                    try await inner.insert(&sheet)
                    try await inner.execute("DELETE FROM sheets WHERE id % 3 = 0")
                    throw Stop()
                }
            } catch is Stop {
                failpoints.reach(.rolledBack)
            }
            try await outer.transaction { inner in
                var sheet = Sheet(recipe: contents.recipe)
                sheet.file = try await inner.store(body(contents), named: original, for: \Sheet.$file)
                try await inner.insert(&sheet)
            }
        }
    }
}

struct WorkerError: Error {
    let message: String
}

/// The bytes of a file in small chunks, between which the process may die.
struct DyingChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let bytes: ByteBuffer
    let failpoints: Failpoints

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(bytes: bytes, failpoints: failpoints)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var bytes: ByteBuffer
        let failpoints: Failpoints
        var count = 0

        mutating func next() async throws -> ByteBuffer? {
            if count == 1 { failpoints.reach(.uploading) }
            count += 1
            return bytes.readSlice(length: Swift.min(bytes.readableBytes, 100_000)).flatMap {
                $0.readableBytes > 0 ? $0 : nil
            }
        }
    }
}
