import Foundation
import NIOCore
import Storages

/// The state that the commands of one run share.
struct Session {
    private struct Misuse: Error {}

    private var storages: [FileSystemStorage] = []
    private var uploads: [Task<String, Never>] = []

    mutating func perform(_ verb: String, _ words: [String]) async throws -> String {
        switch (verb, words.count) {
        // open ROOT fsync|none: the storage that later commands use.
        case ("open", 2):
            storages.append(try FileSystemStorage(root: words[0], durability: words[1] == "fsync" ? .fsync : .none))
            return "ok"
        // become UID GID
        case ("become", 2):
            guard let user = UInt32(words[0]), let group = UInt32(words[1]) else { throw Misuse() }
            guard setgroups(0, nil) == 0, setgid(group) == 0, setuid(user) == 0 else { throw Misuse() }
            return "ok"
        case ("umask", 1):
            umask(mode_t(words[0], radix: 8) ?? 0)
            return "ok"
        // rules A;B;C: from now on.
        case ("rules", _):
            let rules = words.joined(separator: " ").replacingOccurrences(of: ";", with: "\n") + "\n"
            let path = ProcessInfo.processInfo.environment["FAULTS"] ?? "/dev/null"
            try rules.write(toFile: path, atomically: true, encoding: .utf8)
            return "ok"
        case ("move", 2):
            try FileManager.default.moveItem(atPath: words[0], toPath: words[1])
            return "ok"
        case ("mkdir", 1):
            try FileManager.default.createDirectory(atPath: words[0], withIntermediateDirectories: true)
            return "ok"
        case ("touch", 1):
            return FileManager.default.createFile(atPath: words[0], contents: Data()) ? "ok" : "no"
        // blocked PATH COUNT: waits until so many calls wait for the file.
        case ("blocked", 2):
            let url = URL(filePath: words[0])
            while true {
                let entries = try FileManager.default.contentsOfDirectory(
                    atPath: url.deletingLastPathComponent().path
                )
                let count = entries.count { $0.hasPrefix(url.lastPathComponent + ".waiting-") }
                if count >= Int(words[1]) ?? 0 { return "ok" }
                try await Task.sleep(for: .milliseconds(20))
            }
        // flood NAME COUNT [SOURCE]: uploads that nobody waits for; `settle` does.
        case ("flood", 2...3):
            let storage = try storage()
            for number in 0..<(Int(words[1]) ?? 0) {
                let name = words[0] + "\(number)"
                let body = words.count == 3 ? UploadBody.file(words[2]) : Self.body(1000, "x")
                uploads.append(Task { await Self.outcome { try await Self.upload(body, name, .fail, storage) } })
            }
            return "ok"
        // cancel NAME: an upload that is cancelled while it waits.
        case ("cancel", 1):
            let storage = try storage()
            let name = words[0]
            let upload = Task { await Self.outcome { try await Self.upload(Self.body(10, "x"), name, .fail, storage) } }
            try await Task.sleep(for: .milliseconds(100))
            upload.cancel()
            return await upload.value
        case ("settle", 0):
            var outcomes: [String: Int] = [:]
            for upload in uploads { outcomes[await upload.value, default: 0] += 1 }
            return outcomes.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        default:
            return try await perform(verb, words, on: storage())
        }
    }

    private func perform(_ verb: String, _ words: [String], on storage: FileSystemStorage) async throws -> String {
        switch (verb, words.count) {
        case ("put", 3):
            let mode: IfExists = words[2] == "replace" ? .replace : words[2] == "rename" ? .rename : .fail
            try await Self.upload(Self.body(Int(words[1]) ?? 0, "x"), words[0], mode, storage)
            return "ok"
        case ("get", 1):
            let bytes = try await storage.open(StorageName(validating: words[0])).collect(upTo: 1 << 24)
            return "\(bytes.readableBytes) bytes"
        case ("list", 0):
            var names: [String] = []
            for try await file in storage.list(prefix: "") { names.append(file.name.string) }
            return names.joined(separator: " ")
        case ("delete", 1):
            let failures = try await storage.delete([StorageName(validating: words[0])])
            if let failure = failures.first { throw failure.error }
            return "ok"
        case ("purge", 1):
            let receipts = try await storage.purge([StorageName(validating: words[0])])
            if let error = receipts.first?.error { throw error }
            return "\(receipts.map(\.versionCount)) versions"
        case ("tidy", 0):
            return "\(try await storage.removeAbandonedUploads(olderThan: .seconds(-5)))"
        case ("race", 2):
            return try await Self.race(words[0], Int(words[1]) ?? 2, storage)
        case ("probe", 0):
            let probe = try await storage.probe()
            return "\(probe.fileSystem) local \(probe.isLocal) placement \(probe.placement?.rawValue ?? "none") "
                + "case \(probe.keepsCaseApart.map(String.init) ?? "?") "
                + "directories \(probe.synchronizesDirectories.map(String.init) ?? "?") "
                + "times \(probe.setsModificationTimes.map(String.init) ?? "?") "
                + "failure \(probe.writeFailure.map { "\($0.code)" } ?? "none")"
        default:
            throw Misuse()
        }
    }

    /// Many uploads of one name, of which one may win, and its bytes must be there.
    private static func race(_ path: String, _ count: Int, _ storage: FileSystemStorage) async throws -> String {
        let outcomes = await withTaskGroup(of: (Int, String).self) { group in
            for number in 0..<count {
                group.addTask {
                    let body = body(2000, Character(UnicodeScalar(UInt8(65 + number % 57))))
                    return (number, await outcome { try await upload(body, path, .fail, storage) })
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let winners = outcomes.filter { $0.1 == "ok" }.map(\.0)
        let losers = outcomes.count { $0.1 == "alreadyExists" }
        let bytes = try await storage.open(StorageName(validating: path)).collect(upTo: 1 << 20)
        let isWhole = winners.count == 1 && bytes == ByteBuffer(repeating: UInt8(65 + winners[0] % 57), count: 2000)
        return "\(winners.count) won, \(losers) lost, \(isWhole ? "whole" : "mixed")"
    }

    private static func body(_ count: Int, _ letter: Character) -> UploadBody {
        .bytes([UInt8](String(repeating: letter, count: count).utf8))
    }

    private static func upload(
        _ body: UploadBody,
        _ path: String,
        _ mode: IfExists,
        _ storage: FileSystemStorage
    ) async throws {
        _ = try await storage.upload(
            body,
            to: StorageName(validating: path),
            options: UploadOptions(ifExists: mode)
        )
    }

    private static func outcome(_ work: () async throws -> Void) async -> String {
        do {
            try await work()
            return "ok"
        } catch is CancellationError {
            return "cancelled"
        } catch {
            return (error as? StorageError).map { "\($0.code)" } ?? "unexpected \(error)"
        }
    }

    private func storage() throws -> FileSystemStorage {
        guard let storage = storages.last else { throw Misuse() }
        return storage
    }
}
