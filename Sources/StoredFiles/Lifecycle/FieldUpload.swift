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
    private var name: StorageName
    private let original: String
    private let folder: String
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
        self.original = original
        folder = field.path.folder(for: original)
        name = try StorageName.unique(path: folder, original: original, contentType: contentType)
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

    /// The facts known of the type of a file.
    struct Types {
        /// The type by the bytes and the name.
        let sniffed: ContentType
        /// The type that the sender declares.
        let declared: ContentType?
        /// The type that the file is served as: the declaration, where the bytes allow it.
        let effective: ContentType

        init(_ beginning: ByteBuffer, name: StorageName, declared: ContentType?) {
            let name = name.lastComponent
            sniffed = ContentType(sniffing: beginning.readableBytesView, name: name)
            effective = ContentType(sniffing: beginning.readableBytesView, name: name, declared: declared)
            self.declared = declared
        }

        /// A Boolean value that indicates whether a browser might run the file: also when only the sender says so,
        /// because something between here and the browser may believe it.
        var mayBeActive: Bool {
            sniffed.isActiveContent || effective.isActiveContent || declared?.isActiveContent == true
        }
    }

    /// Uploads a body.
    ///
    /// - Parameter isIndependent: Whether the caller may hold a connection of the pool.
    func run(_ body: UploadBody, isIndependent: Bool) async throws -> Stored {
        try await run(body, declared: contentType, isIndependent: isIndependent)
    }

    private func run(_ body: UploadBody, declared: ContentType?, isIndependent: Bool) async throws -> Stored {
        // The type goes onto the object with its first byte, so the beginning is looked at before the upload starts,
        // and before anything is noted that would have to be undone.
        let (beginning, body) = try await body.peeking(at: ContentType.sniffedBytes)
        let types = Types(beginning, name: name, declared: declared)
        try check(types)
        if case .image = kind {
            // What plainly is no image costs neither a reservation nor an upload.
            var parser = ImageHeaderParser()
            _ = try parser.parse(beginning, at: 0, totalSize: body.length)
        }
        return try await named(for: types).journaled(isIndependent) { upload in
            switch upload.kind {
            case .file:
                _ = try await upload.upload(body, options(types, tap: nil))
                return nil
            case .image(let rules):
                return try await upload.uploadImage(body, types, rules)
            }
        }
    }

    /// The same upload, under a name with the extension of the type when the original gives it none.
    private func named(for types: Types) throws -> FieldUpload {
        guard name.fileExtension == nil, types.effective != .octetStream else { return self }
        var upload = self
        upload.name = try StorageName.unique(path: folder, original: original, contentType: types.effective)
        return upload
    }

    /// Gives a field a file of its own with the bytes of another, without moving them through this process where the
    /// storage can.
    ///
    /// The field's rules hold as they do for an upload, and before anything is written.
    func copy(_ source: StorageFile, isIndependent: Bool) async throws -> Stored {
        let info = try await source.info()
        guard StorageIdentity(source.storage) == StorageIdentity(binding.storage) else {
            if let coding = info.contentEncoding {
                throw codedSource(source, coding: coding, reason: "goes into another storage")
            }
            try check(info.byteCount)
            let contents = try await source.open(options: OpenOptions(ifMatch: info.entityTag))
            let body = UploadBody.stream(contents, length: contents.info.byteCount)
            return try await run(body, declared: info.contentType, isIndependent: isIndependent)
        }
        try check(info.byteCount)
        var options = UploadOptions(ifExists: .fail)
        var probe: ImageProbeResult?
        if let coding = info.contentEncoding {
            // What the coded bytes are can be told by who decodes them only.
            if hasTypes { throw codedSource(source, coding: coding, reason: "the field accepts certain types only") }
        } else {
            let types = Types(try await beginning(of: source, info), name: name, declared: info.contentType)
            try check(types)
            if case .image(let rules) = kind {
                let found = try await binding.prober.probe(source)
                try rules.check(found)
                probe = found
            }
            if binding.storage.capabilities.contains(.storedMetadata) {
                if types.effective != info.contentType { options.contentType = types.effective }
                if types.mayBeActive { options.contentDisposition = "attachment" }
            }
        }
        let (chosen, found) = (options, probe)
        return try await journaled(isIndependent) { upload in
            _ = try await creating(chosen) { try await binding.storage.copy(source.name, to: upload.name, options: $0) }
            return found
        }
    }

    /// Reads what the type of a stored file is recognised by.
    private func beginning(of file: StorageFile, _ info: FileInfo) async throws -> ByteBuffer {
        let count = ContentType.sniffedBytes
        let hasRanges = file.storage.capabilities.contains(.rangedRead)
        let options = OpenOptions(range: hasRanges ? .first(Int64(count)) : nil, ifMatch: info.entityTag)
        var iterator = try await file.open(options: options).makeAsyncIterator()
        var beginning = ByteBuffer()
        while beginning.readableBytes < count, var chunk = try await iterator.next() {
            beginning.writeBuffer(&chunk)
        }
        return beginning
    }

    private var hasTypes: Bool {
        switch kind {
        case .file(let types): !types.isEmpty
        case .image: true
        }
    }

    private func check(_ types: Types) throws {
        guard case .file(let accepted) = kind, !accepted.isEmpty else { return }
        for found in [types.sniffed, types.effective] where !accepted.contains(found) {
            throw wrongType(found, accepted: accepted)
        }
    }

    private func check(_ byteCount: Int64) throws {
        guard let maxBytes, byteCount > maxBytes else { return }
        throw StorageError(
            .tooLarge,
            "The file has \(byteCount) bytes, more than the \(maxBytes) that the field \"\(field.column)\" accepts.",
            name: name
        )
    }

    private func codedSource(_ source: StorageFile, coding: String, reason: String) -> StorageError {
        // Its bytes alone, without the coding, would be another file.
        StorageError(
            .unsupported,
            "The file is stored in the coding \(StorageError.quoted(coding)), and \(reason). Open it, decode it with "
                + "decoded(by:), and store what comes.",
            name: source.name,
            storage: source.storage.label
        )
    }

    private func upload(_ body: UploadBody, _ options: UploadOptions) async throws -> UploadedFile {
        try await creating(options) { try await binding.storage.upload(body, to: name, options: $0) }
    }

    /// Writes a new file, on the condition that its name is free.
    ///
    /// A storage that has no such condition says so before it has read anything. Where that is good enough, the random
    /// part of the name, and its row in the journal, have to do.
    private func creating(
        _ options: UploadOptions,
        _ write: (UploadOptions) async throws -> UploadedFile
    ) async throws -> UploadedFile {
        do {
            return try await write(options)
        } catch let error as StorageError where error.code == .unsupported && lacksCondition(error) {
            guard !context.lifecycle.requiresConditionalUploads else { throw wouldOverwrite(error) }
            var options = options
            options.ifExists = .replace
            return try await write(options)
        }
    }

    private func lacksCondition(_ error: StorageError) -> Bool {
        error.underlying is WriteConditionUnsupported
            || !binding.storage.capabilities.contains(.conditionalUpload)
    }

    private func wouldOverwrite(_ error: StorageError) -> StorageError {
        var refusal = error
        refusal.message = """
            The storage "\(field.storage)" would not notice a file of the same name and overwrite it, so the field \
            "\(field.column)" of "\(field.table)" stores nothing there. \(error.message) If the 80 random bits in the \
            names of fields' files are enough for you, connect with \
            LifecycleConfiguration(requiresConditionalUploads: false).
            """
        return refusal
    }

    /// Reserves a name that the column has room for, does the upload under it, and removes what is there of it when
    /// that fails.
    private func journaled(
        _ isIndependent: Bool,
        _ upload: (FieldUpload) async throws -> ImageProbeResult?
    ) async throws -> Stored {
        let journal = Journal(database: database, isIndependent: isIndependent)
        switch try await context.reserve(name, for: field, journal) {
        case .made: return try await uploading(isJournaled: true, upload)
        case .none: return try await uploading(isJournaled: false, upload)
        case .tooLong(let room):
            var shorter = self
            guard let name = name.cut(toFit: room), name != self.name else { throw noRoom(room) }
            shorter.name = name
            return try await shorter.journaled(isIndependent, upload)
        }
    }

    private func noRoom(_ room: StorageName.Room) -> StorageError {
        let beginning = name.string.dropLast(name.lastComponent.count)
        let isInBytes = room == .bytes(room.count)
        return StorageError(
            .invalidName,
            """
            The column "\(field.column)" of "\(field.table)" has room for \(room.count) \
            \(isInBytes ? "bytes" : "characters"), and the names of its files begin with \
            \(isInBytes ? beginning.utf8.count : beginning.unicodeScalars.count). Change its type to text.
            """,
            name: name
        )
    }

    private func uploading(
        isJournaled: Bool,
        _ upload: (FieldUpload) async throws -> ImageProbeResult?
    ) async throws -> Stored {
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
            let probe =
                isJournaled
                ? try await context.leases.hold(key) { try await upload(self) } : try await upload(self)
            // Without triggers nothing takes the file for abandoned.
            let receipt = isJournaled ? StorageReceipt(validFor: context.lifecycle.claimPeriod) : nil
            await context.reach(.uploaded)
            let file = StorageFile(name: name, in: binding.storage, receipt: receipt)
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
        _ types: Types,
        _ rules: ImageRules
    ) async throws -> ImageProbeResult {
        let inspector = ImageUploadInspector(prober: binding.prober)
        let uploaded = try await upload(body, options(types, tap: { try inspector.consume($0) }))
        let probe = try await inspector.finish(byteCount: uploaded.byteCount)
        try rules.check(probe)
        return probe
    }

    private func options(_ types: Types, tap: (@Sendable (ByteBuffer) throws -> Void)?) -> UploadOptions {
        var options = UploadOptions()
        // The name is random; whatever else is there under it must never be overwritten.
        options.ifExists = .fail
        options.contentType = types.effective
        if types.mayBeActive, binding.storage.capabilities.contains(.storedMetadata) {
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
            but the file is \(found).
            """,
            name: name.string
        )
    }
}
