import Foundation
import NIOCore
import Storages

/// The object that says which database decides about the files of a storage.
struct StorageMark: Equatable, Sendable {
    /// The random id that the database knows, too.
    let id: String

    /// The name of the mark: at the top of the storage, or of the prefix that the storage is.
    static let name = StorageName(unchecked: StorageName.reservedPrefix + "owner")

    init() {
        id = UUID().uuidString.lowercased()
    }

    init(id: String) {
        self.id = id
    }

    private static let title = "stored-files owner"

    private var text: String {
        """
        \(Self.title) \(id)
        The database that knows this id decides about the files here. Another one deletes none of them.

        """
    }

    /// The mark of a storage; `nil` when it has none.
    ///
    /// - Throws: ``StorageError`` with code `.corrupted` when the object is something else.
    static func read(from storage: any Storage) async throws -> StorageMark? {
        let contents: StoredContents
        do {
            contents = try await storage.open(name, options: OpenOptions())
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
        let bytes = try await contents.collect(upTo: 4096)
        let line = String(decoding: bytes.readableBytesView, as: UTF8.self).prefix { $0 != "\n" }
        guard line.hasPrefix(title + " ") else {
            throw StorageError(
                .corrupted,
                "The object \(StorageError.quoted(name.string)) is not the mark of an owner. Delete it, then adopt "
                    + "the storage.",
                name: name,
                storage: storage.label
            )
        }
        return StorageMark(id: String(line.dropFirst(title.count + 1)))
    }

    /// Puts the mark onto a storage.
    ///
    /// - Returns: Whether it is there now: it is not when another process has put one there first.
    func write(to storage: any Storage, replacing: Bool) async throws -> Bool {
        var options = UploadOptions()
        options.ifExists = replacing ? .replace : .fail
        options.contentType = "text/plain; charset=utf-8"
        do {
            _ = try await storage.upload(.string(text), to: Self.name, options: options)
            return true
        } catch let error as StorageError where error.code == .alreadyExists {
            return false
        } catch let error as StorageError where error.code == .unsupported && !replacing {
            // The storage cannot promise that nobody else writes it in this moment. The mark is read again later.
            guard try await Self.read(from: storage) == nil else { return false }
            return try await write(to: storage, replacing: true)
        }
    }
}
