import NIOCore
import PostgresModels
import StorageImages
import Storages

/// One new file for a field: the name it gets, what is noted in the journal, what is watched while its bytes pass, and
/// what is undone when it fails.
struct FieldUpload: Sendable {
    struct Stored: Sendable {
        let file: StorageFile
        let probe: ImageProbeResult?
        /// Removes the file again, for when the transaction around it does not commit.
        let compensation: Compensation
    }

    let binding: FieldBinding
    private let context: FileContext
    private let database: Database
    private let name: StorageName
    private let field: Journal.Field
    private let kind: Kind
    private let contentType: ContentType?
    private let maxBytes: Int64?
    private let progress: ProgressHandler?

    private enum Kind: Sendable {
        case file(types: [ContentType])
        case image(ImageRules)
    }

    init<Owner>(
        _ field: StoredField<Owner>,
        _ original: String,
        _ attachments: DatabaseAttachments,
        contentType: ContentType? = nil,
        progress: ProgressHandler? = nil
    ) throws {
        context = try attachments.fileContext(for: field.column)
        database = try context.openDatabase()
        binding = try FieldBinding(field, attachments)
        name = try StorageName.unique(path: field.path.folder(for: original), original: original)
        self.field = Journal.Field(
            table: Owner.table,
            column: field.column,
            storage: field.storage,
            isImage: field.isImage
        )
        kind =
            switch field.kind {
            case .file(let types): .file(types: types)
            case .image(_, let rules): .image(rules)
            }
        maxBytes = field.maxBytes
        self.contentType = contentType
        self.progress = progress
    }

    /// Uploads a body.
    ///
    /// - Parameter isIndependent: Whether the caller may hold a connection of the pool.
    func run(_ body: UploadBody, isIndependent: Bool) async throws -> Stored {
        // The type goes onto the object with its first byte, so the beginning is looked at before the upload starts,
        // and before anything is noted that would have to be undone.
        let (beginning, body) = try await body.peeking(at: ContentType.sniffedBytes)
        let sniffed = ContentType(sniffing: beginning.readableBytesView, name: name.lastComponent)
        if case .file(let types) = kind, !types.isEmpty, !types.contains(sniffed) {
            throw wrongType(sniffed, accepted: types)
        }
        if case .image = kind {
            // What plainly is no image costs neither a reservation nor an upload.
            var parser = ImageHeaderParser()
            _ = try parser.parse(beginning, at: 0, totalSize: body.length)
        }
        return try await journaled(isIndependent) {
            switch kind {
            case .file:
                _ = try await upload(body, options(sniffed, tap: nil))
                return nil
            case .image(let rules):
                return try await uploadImage(body, sniffed, rules)
            }
        }
    }

    /// Gives a field a file of its own with the bytes of another, without moving them through this process where the
    /// storage can.
    func copy(_ source: StorageFile, isIndependent: Bool) async throws -> Stored {
        guard StorageIdentity(source.storage) == StorageIdentity(binding.storage) else {
            let contents = try await source.open()
            if let coding = contents.info.contentEncoding {
                // Its bytes alone, in a storage that may not keep the coding, would be another file.
                throw StorageError(
                    .unsupported,
                    "The file is stored in the coding \(StorageError.quoted(coding)), and goes into another storage. Open it, "
                        + "decode it with decoded(by:), and store what comes.",
                    name: source.name,
                    storage: source.storage.label
                )
            }
            return try await run(.stream(contents, length: contents.info.byteCount), isIndependent: isIndependent)
        }
        return try await journaled(isIndependent) {
            _ = try await creating(UploadOptions(ifExists: .fail)) {
                try await binding.storage.copy(source.name, to: name, options: $0)
            }
            return nil
        }
    }

    private func upload(_ body: UploadBody, _ options: UploadOptions) async throws -> UploadedFile {
        try await creating(options) { try await binding.storage.upload(body, to: name, options: $0) }
    }

    /// Writes a new file, on the condition that its name is free where the storage can do that.
    ///
    /// Where it cannot, it says so before it has read anything. There the random part of the name, and its row in the
    /// journal, have to do. What is unsupported for another reason is so the second time, too.
    private func creating(
        _ options: UploadOptions,
        _ write: (UploadOptions) async throws -> UploadedFile
    ) async throws -> UploadedFile {
        do {
            return try await write(options)
        } catch let error as StorageError where error.code == .unsupported {
            var options = options
            options.ifExists = .replace
            return try await write(options)
        }
    }

    /// Reserves the name, does the upload, and removes what is there of it when that fails.
    private func journaled(
        _ isIndependent: Bool,
        _ upload: () async throws -> ImageProbeResult?
    ) async throws -> Stored {
        let journal = Journal(database: database, isIndependent: isIndependent)
        let isJournaled = try await context.reserve(name, for: field, journal)
        let file = StorageFile(name: name, in: binding.storage)
        let compensation = Compensation(
            file: file,
            storage: field.storage,
            database: database,
            isJournaled: isJournaled,
            lease: min(.seconds(60), context.lifecycle.claimPeriod)
        )
        do {
            await context.reach(.reserved)
            let key = JournalKey(storage: field.storage, name: name)
            let probe = isJournaled ? try await context.leases.hold(key, during: upload) : try await upload()
            await context.reach(.uploaded)
            return Stored(file: file, probe: probe, compensation: compensation)
        } catch let error as StorageError where error.code == .alreadyExists {
            // Whatever has this name was there before, and is not ours to remove.
            await compensation.release()
            throw error
        } catch {
            await compensation.run()
            throw error
        }
    }

    private func uploadImage(
        _ body: UploadBody,
        _ sniffed: ContentType,
        _ rules: ImageRules
    ) async throws -> ImageProbeResult {
        let inspector = ImageUploadInspector(prober: binding.prober)
        let uploaded = try await upload(body, options(sniffed, tap: { try inspector.consume($0) }))
        let probe = try await inspector.finish(byteCount: uploaded.byteCount)
        try rules.check(probe)
        return probe
    }

    private func options(_ sniffed: ContentType, tap: (@Sendable (ByteBuffer) throws -> Void)?) -> UploadOptions {
        var options = UploadOptions()
        // The name is random; whatever else is there under it must never be overwritten.
        options.ifExists = .fail
        options.contentType = contentType ?? sniffed
        if sniffed.isActiveContent, binding.storage.capabilities.contains(.storedMetadata) {
            // A script in an SVG or HTML file must not run in the origin that serves the uploads.
            options.contentDisposition = "attachment"
        }
        options.maxBytes = maxBytes
        // Nobody is told of it.
        options.computesSHA256 = false
        options.progress = progress
        options.tap = tap
        return options
    }

    private func wrongType(_ found: ContentType, accepted: [ContentType]) -> StorageError {
        StorageError(
            .wrongType,
            """
            The field "\(field.column)" accepts \(accepted.map(\.description).joined(separator: ", ")), \
            but the bytes are \(found).
            """,
            name: name.string
        )
    }
}
