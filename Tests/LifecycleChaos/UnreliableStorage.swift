import Foundation
import NIOConcurrencyHelpers
import StoredFiles

/// A condition of a storage in which operations fail, for all processes at once.
enum Weather: String, CaseIterable, Sendable {
    /// Nothing is done.
    case down
    /// Everything is done, and nobody learns of it.
    case lost
    /// Some of the one and some of the other.
    case flaky
    /// Everything takes its time, longer than leases last.
    case slow
    /// An operation that has failed is done after all, some time later.
    case late
}

/// A storage that the weather makes fail.
struct UnreliableStorage: Storage {
    let base: any Storage
    let weather: Flag
    let dice: Dice
    let log: StorageLog
    /// Ends the server at once when files of a side have been deleted and the conductor wants that.
    let crash: (ServerCrash, side: Int)?

    var label: String { base.label }
    var location: StorageLocation? { StorageLocation(of: base) }
    var capabilities: StorageCapabilities { base.capabilities }

    /// The mark of the errors that were made here.
    static let mark = "chaos: the weather is"

    private func failure(_ code: StorageError.Code, _ weather: Weather) -> StorageError {
        StorageError(code, "\(Self.mark) \(weather).", storage: label)
    }

    private func perform<Result>(
        _ operation: String,
        _ names: [StorageName],
        late: (@Sendable () async throws -> Void)? = nil,
        _ work: () async throws -> Result
    ) async throws -> Result {
        guard let weather = weather.text.flatMap({ Weather(rawValue: $0) }) else {
            return try await logged(operation, names, work)
        }
        switch weather {
        case .down:
            throw failure(.unavailable, weather)
        case .lost:
            _ = try await logged(operation + " (lost)", names, work)
            throw failure(.timeout, weather)
        case .flaky:
            guard !dice.chance(4) else { throw failure(.unavailable, weather) }
            let result = try await logged(operation, names, work)
            guard !dice.chance(4) else { throw failure(.timeout, weather) }
            return result
        case .slow:
            try await Task.sleep(for: dice.milliseconds(50...1200))
            return try await logged(operation + " (slow)", names, work)
        case .late:
            guard let late, !dice.chance(3) else { return try await logged(operation, names, work) }
            let pause = dice.milliseconds(200...1000)
            Latecomers.begin()
            Task.detached {
                try? await Task.sleep(for: pause)
                _ = try? await logged(operation + " (late)", names, late)
                Latecomers.end()
            }
            throw failure(.timeout, weather)
        }
    }

    private func logged<Result>(
        _ operation: String,
        _ names: [StorageName],
        _ work: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await work()
            log.write(operation, names)
            return result
        } catch {
            log.write("\(operation) failed (\(error))", names)
            throw error
        }
    }

    func name(for original: String) throws -> StorageName { try base.name(for: original) }

    func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile {
        var quiet = options
        quiet.tap = nil
        quiet.progress = nil
        let (lateOptions, lateBase) = (quiet, base)
        return try await perform(
            "upload",
            [name],
            late: { _ = try await lateBase.upload(body, to: name, options: lateOptions) },
            { try await base.upload(body, to: name, options: options) }
        )
    }

    func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        guard weather.text == nil else {
            return try await perform("open", [name]) { try await base.open(name, options: options) }
        }
        return try await base.open(name, options: options)
    }

    func info(for name: StorageName) async throws -> FileInfo {
        try await perform("info", [name]) { try await base.info(for: name) }
    }

    func url(for name: StorageName, options: URLOptions) async throws -> String {
        try await base.url(for: name, options: options)
    }

    func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        try await perform(
            "delete",
            names,
            late: { [base] in _ = try await base.delete(names) },
            {
                // Those of a tombstone are deleted a second time, and may be written again afterwards.
                let existing = try await crash?.0.isWanted == true ? existing(names) : []
                let failures = try await base.delete(names)
                if failures.isEmpty, !existing.isEmpty, let crash {
                    crash.0.strike(afterDeletionOf: existing, on: crash.side)
                }
                return failures
            }
        )
    }

    private func existing(_ names: [StorageName]) async throws -> [StorageName] {
        var existing: [StorageName] = []
        for name in names where try await base.exists(name) { existing.append(name) }
        return existing
    }

    func list(prefix: String) -> FileListing { base.list(prefix: prefix) }

    func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await perform(
            "copy",
            [source, destination],
            late: { [base] in _ = try await base.copy(source, to: destination, options: options) },
            { try await base.copy(source, to: destination, options: options) }
        )
    }

    func abandonUploads(of names: [StorageName]) async throws {
        try await perform("abandon", []) { try await base.abandonUploads(of: names) }
    }

    func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
        try await perform("purge", names) { try await base.purge(names) }
    }
}

/// The operations that are still going to be done, and must be over before the storage is looked at.
enum Latecomers {
    private static let count = NIOLockedValueBox(0)

    static func begin() { count.withLockedValue { $0 += 1 } }

    static func end() { count.withLockedValue { $0 -= 1 } }

    static func wait() async {
        while count.withLockedValue({ $0 }) > 0 { try? await Task.sleep(for: .milliseconds(10)) }
    }
}

/// A log of operations and their names, for whoever looks into a violation.
struct StorageLog: Sendable {
    private let descriptor: Int32
    private let prefix: String

    init(_ path: String, prefix: String) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        self.prefix = prefix
    }

    func write(_ operation: String, _ names: [StorageName]) {
        var text = ""
        for name in names { text += "\(Clock.now) \(getpid()) \(operation) \(prefix)\(name)\n" }
        guard !text.isEmpty else { return }
        var bytes = Array(text.utf8)
        _ = Foundation.write(descriptor, &bytes, bytes.count)
    }
}

extension StorageLog {
    static func append(_ text: String, to path: String) {
        let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        var bytes = Array(text.utf8)
        _ = Foundation.write(descriptor, &bytes, bytes.count)
        close(descriptor)
    }
}

enum Clock {
    /// The time of day, as logs have it.
    static var now: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return "\(time.tv_sec).\(String(time.tv_nsec / 1_000_000 + 1000).dropFirst())"
    }
}
