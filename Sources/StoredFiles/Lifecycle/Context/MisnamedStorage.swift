import Storages

/// The storage of a file whose column holds what no storage could have given out: everything that is asked of the file
/// fails, and says which column holds it.
///
/// The row can be read all the same, compared, and written back as it was, so it goes by the label and the identity of
/// the field's own storage.
struct MisnamedStorage: Storage {
    let base: any Storage
    /// The error, with table, column and the text.
    let error: StorageError

    var label: String { base.label }
    var capabilities: StorageCapabilities { base.capabilities }
    var location: StorageLocation? { StorageLocation(of: base) }

    func name(for original: String) throws -> StorageName { throw error }

    func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile {
        throw error
    }

    func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents { throw error }

    func info(for name: StorageName) async throws -> FileInfo { throw error }

    func url(for name: StorageName, options: URLOptions) async throws -> String { throw error }

    func delete(_ names: [StorageName]) async throws -> [DeletionFailure] { throw error }

    func abandonUploads(of names: [StorageName]) async throws { throw error }

    func purge(_ names: [StorageName]) async throws -> [PurgedFile] { throw error }

    func list(prefix: String) -> FileListing { FileListing(Refusal(error: error)) }

    func copy(_ source: StorageName, to destination: StorageName, options: UploadOptions) async throws -> UploadedFile {
        throw error
    }

    private struct Refusal: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let error: StorageError

        func makeAsyncIterator() -> Self { self }
        mutating func next() async throws -> FileInfo? { throw error }
    }
}

extension FieldBinding {
    /// The file that the text in the field's column names; `nil` when the text is empty, which is how some programs
    /// write that there is none.
    func file(named text: String) -> StorageFile? {
        guard !text.isEmpty else { return nil }
        do {
            return StorageFile(name: try StorageName(validating: text), in: storage)
        } catch {
            // Somebody else wrote this row; the others of the result must not be lost for it.
            var refusal = error as? StorageError ?? StorageError(.invalidName, "It is no name.", underlying: error)
            refusal.message = """
                The column "\(column)" of "\(table)" holds what no storage has given out. \(refusal.message) \
                Correct the row, or set the column to NULL.
                """
            refusal.name = text
            refusal.storage = storage.label
            let name = StorageName(unchecked: text)
            return StorageFile(name: name, in: MisnamedStorage(base: storage, error: refusal))
        }
    }
}
