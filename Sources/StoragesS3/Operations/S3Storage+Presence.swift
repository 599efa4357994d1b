import Storages

extension S3Storage {
    /// The most names that are tried until one is free.
    private static let renameAttempts = 4

    /// The knowledge of whether a file has a name.
    enum Presence {
        case taken
        case free
        /// The server does not say: without the permission `s3:ListBucket` a missing file looks like a forbidden one.
        case unknown
    }

    /// Looks whether a file has a name.
    func presence(of name: StorageName) async throws -> Presence {
        do {
            _ = try await head(name)
            return .taken
        } catch let failure as S3Failure where failure.isNotFound {
            return .free
        } catch let failure as S3Failure where failure.status == 403 {
            return .unknown
        }
    }

    /// Writes a file and, with ``IfExists/rename``, goes on with random suffixes until a name is free.
    ///
    /// - Parameters:
    ///   - name: The name that was asked for.
    ///   - first: The name to begin with.
    ///   - ifExists: The behaviour when the name is taken.
    ///   - write: Writes the file under a name.
    /// - Returns: The name that was free, and the object.
    func withFreeName(
        _ name: StorageName,
        first: StorageName,
        ifExists: IfExists,
        _ write: (StorageName) async throws -> WrittenObject
    ) async throws -> (name: StorageName, object: WrittenObject) {
        var final = first
        for _ in 1...Self.renameAttempts {
            do {
                return (final, try await write(final))
            } catch let error as StorageError where error.code == .alreadyExists && ifExists == .rename {
                final = try name.withRandomSuffix()
            }
        }
        throw StorageError(.alreadyExists, "No free name was found. Choose another name.", name: name, storage: label)
    }
}
