import NIOConcurrencyHelpers
import NIOCore
public import Storages

extension S3Storage {
    /// Checks a file that a client has uploaded directly, and deletes it when it is not what it should be.
    ///
    /// One request reads the size and the first 4 KiB, by which the type is told; with `sha256` the whole file is read,
    /// in constant memory. Call it before anybody else gets to see the file.
    ///
    /// As long as the URL or form is valid, its client may put another file in the place of this one. When that
    /// matters, use ``DirectUploadOptions/requiresAbsence`` or copy the file to a name of your own and verify that.
    ///
    /// ```swift
    /// let photo = try await media.verifyDirectUpload(name, size: 1...10_000_000, contentTypes: [.jpeg, .png, .webp])
    /// ```
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - size: The fewest and the most bytes it may have.
    ///   - contentTypes: The types it may have, both by its bytes and by what the client has declared. Default: any.
    ///   - sha256: The 32 bytes of the SHA-256 it has to have. Default: any.
    ///   - deletesOnFailure: Whether a file that does not pass is deleted; in a bucket that keeps versions it is
    ///     hidden. A newer file that has arrived meanwhile is not deleted where the server evaluates entity tags.
    ///     Default: `true`.
    /// - Returns: The description of the file; its entity tag is for ``OpenOptions/ifMatch``.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when nothing has arrived,
    ///   ``StorageError/Code/tooLarge`` for more bytes than allowed, ``StorageError/Code/wrongType`` for another type,
    ///   and ``StorageError/Code/corrupted`` for fewer bytes or another SHA-256;
    ///   ``StorageError/Code/invalidConfiguration`` for a `sha256` that has not 32 bytes; as ``open(_:options:)``. When
    ///   a file that did not pass could not be deleted, its ``StorageError/underlying`` says why.
    public func verifyDirectUpload(
        _ name: StorageName,
        size: ClosedRange<Int64>,
        contentTypes: Set<ContentType>? = nil,
        sha256: [UInt8]? = nil,
        deletesOnFailure: Bool = true
    ) async throws -> FileInfo {
        guard sha256 == nil || sha256?.count == 32 else {
            throw StorageError(
                .invalidConfiguration,
                "A SHA-256 has 32 bytes, and this one \(sha256?.count ?? 0). Give the bytes, not their digits.",
                name: name,
                storage: label
            )
        }
        let contents = try await open(
            name,
            options: OpenOptions(range: sha256 == nil ? .first(Int64(ContentType.sniffedBytes)) : nil)
        )
        let rejection: StorageError?
        if let problem = Self.problem(withSize: contents.info.byteCount, size) {
            rejection = self.rejection(problem, name)
        } else {
            rejection = try await problem(with: contents, contentTypes, sha256).map { self.rejection($0, name) }
        }
        guard var rejection else { return contents.info }
        guard deletesOnFailure else { throw rejection }
        do {
            try await deleteRejected(name, contents.info.entityTag)
        } catch let error as StorageError {
            rejection.message +=
                error.code == .preconditionFailed
                ? " Another one has arrived meanwhile, which stays; look at that."
                : " It could not be deleted; delete it."
            rejection.underlying = error
        }
        throw rejection
    }

    /// Deletes a rejected file; as long as the URL works another file may arrive, which was not checked.
    private func deleteRejected(_ name: StorageName, _ tag: String?) async throws {
        guard let tag else { return try await delete(name) }
        let known = conditions.withLockedValue { $0.writes.delete }
        // Servers that evaluate an entity tag may want it without its quotes, and then refuse every other form as
        // wrong.
        let forms = known.isSupported ? [known] : [.quoted, .bare]
        do {
            for (index, form) in forms.enumerated() {
                guard let field = form.field(tag) else { continue }
                do {
                    return try await reporting(name) { try await deleteVersion(of: name, on: field) }
                } catch let error as StorageError where error.code == .preconditionFailed && index + 1 < forms.count {
                    guard try await info(for: name).entityTag == tag else { throw error }
                }
            }
        } catch let error as StorageError where error.code == .unsupported {
            // A server that does not know the condition, and reports that.
            try await delete(name)
        }
    }

    private typealias Problem = (code: StorageError.Code, message: String)

    private func rejection(_ problem: Problem, _ name: StorageName) -> StorageError {
        StorageError(problem.code, problem.message, name: name, storage: label)
    }

    private static func problem(withSize count: Int64, _ size: ClosedRange<Int64>) -> Problem? {
        if count > size.upperBound {
            return (.tooLarge, "The file that arrived has \(count) bytes, and at most \(size.upperBound) are allowed.")
        }
        if count < size.lowerBound {
            return (
                .corrupted,
                "The file that arrived has \(count) bytes, and at least \(size.lowerBound) are expected. Let it be "
                    + "sent again."
            )
        }
        return nil
    }

    private func problem(
        with contents: StoredContents,
        _ contentTypes: Set<ContentType>?,
        _ sha256: [UInt8]?
    ) async throws -> Problem? {
        let hasher = try sha256.map { _ in try SHA256Hasher() }
        var head: [UInt8] = []
        for try await chunk in contents {
            hasher?.update(chunk)
            let missing = ContentType.sniffedBytes - head.count
            if missing > 0 { head += chunk.readableBytesView.prefix(missing) }
        }
        if let contentTypes {
            let found = ContentType(sniffing: head, name: contents.info.name.string)
            guard contentTypes.contains(found) else {
                return (.wrongType, "The bytes that arrived are \(found), which is not accepted.")
            }
            // Browsers go by the declared type, whatever the bytes are.
            if let declared = contents.info.contentType, declared != found, !contentTypes.contains(declared) {
                return (.wrongType, "The file that arrived is declared as \(declared), which is not accepted.")
            }
        }
        if let hasher, try hasher.finish() != sha256 {
            return (.corrupted, "The bytes that arrived have another SHA-256 than expected. Let them be sent again.")
        }
        return nil
    }
}
