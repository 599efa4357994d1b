import Foundation
import NIOCore
import StoredFilesTesting
import TestSupport

@testable import Storages

extension Storage {
    /// The same storage, which refuses whatever would change it and counts the attempts.
    var readOnly: FaultyStorage {
        FaultyStorage(self) { call, _ in
            FaultyStorage.Operation.writing.contains(call.operation)
                ? .error(StorageError(.permissionDenied, "This storage is only read.")) : nil
        }
    }
}

extension FaultyStorage.Operation {
    /// The operations that change a storage.
    static let writing: Set<Self> = [.upload, .delete, .copy, .abandonUploads, .purge]
}

extension FaultyStorage {
    /// The calls that would have changed the storage.
    var writes: [Call] { calls.filter { Operation.writing.contains($0.operation) } }
}

/// An overlay in memory, and ways to look at its two storages.
struct OverlayFixture: Sendable {
    let above = MemoryStorage(name: "above")
    let below = MemoryStorage(name: "below")
    /// Between the overlay and what is above.
    let upper: FaultyStorage
    /// Between the overlay and what is below.
    let lower: FaultyStorage
    let overlay: OverlayStorage

    init(below names: [String] = []) async throws {
        upper = FaultyStorage(above)
        lower = below.readOnly
        overlay = try OverlayStorage(upper: upper, lower: lower)
        for name in names { try await below.put("below", name) }
    }

    /// The text under a name, `nil` when there is none: what opening, looking up and listing agree about.
    func text(_ name: String) async throws -> String? {
        let file = try StorageName(validating: name)
        let isListed = try await overlay.names(name).contains(name)
        let exists = try await overlay.exists(file)
        do {
            let text = try await overlay.text(name)
            guard exists, isListed else { throw Disagreement(name: name) }
            return text
        } catch let error as StorageError where error.code == .notFound {
            guard !exists, !isListed else { throw Disagreement(name: name) }
            return nil
        }
    }

    /// The names that have a whiteout, as the whiteouts themselves say.
    func hiddenNames(among names: [String]) async throws -> [String] {
        var hidden: [String] = []
        for name in names {
            let whiteout = try Self.whiteout(of: name)
            guard try await above.exists(StorageName(validating: whiteout)) else { continue }
            hidden.append(try await above.text(whiteout))
        }
        return hidden
    }

    static func whiteout(of name: String) throws -> String {
        ".stored-files-whiteouts/" + (try SHA256Hasher.hash(Array(name.utf8))).hexadecimal
    }

    struct Disagreement: Error {
        let name: String
    }
}

/// A storage whose listings come in an order that is not that of the names.
struct UnorderedStorage: ForwardingStorage {
    let base: MemoryStorage

    var location: StorageLocation? { StorageLocation(of: base) }
    var capabilities: StorageCapabilities { base.capabilities.subtracting(.orderedListing) }

    func list(prefix: String) -> FileListing {
        FileListing(
            AsyncThrowingStream { continuation in
                let task = Task {
                    var files: [FileInfo] = []
                    for try await file in base.list(prefix: prefix) { files.append(file) }
                    for file in files.reversed() { continuation.yield(file) }
                    continuation.finish()
                }
                continuation.onTermination = { _ in task.cancel() }
            }
        )
    }
}
