import NIOCore
import PostgresModels
import StorageImages
import Storages

/// One upload for a field: the name it gets, what is watched while its bytes pass, and what is undone when it fails.
struct FieldUpload: Sendable {
    struct Stored: Sendable {
        let file: StorageFile
        let probe: ImageProbeResult?
    }

    let binding: FieldBinding
    private let name: StorageName
    private let column: String
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
        _ contentType: ContentType?,
        _ progress: ProgressHandler?
    ) throws {
        binding = try FieldBinding(field, attachments)
        name = try StorageName.unique(path: field.path.folder(for: original), original: original)
        column = field.column
        kind =
            switch field.kind {
            case .file(let types): .file(types: types)
            case .image(_, let rules): .image(rules)
            }
        maxBytes = field.maxBytes
        self.contentType = contentType
        self.progress = progress
    }

    func run(_ body: UploadBody) async throws -> Stored {
        // The type goes onto the object with its first byte, so the beginning is looked at before the upload starts.
        let (beginning, body) = try await body.peeking(at: ContentType.sniffedBytes)
        let sniffed = ContentType(sniffing: beginning.readableBytesView, name: name.lastComponent)
        switch kind {
        case .file(let types):
            guard types.isEmpty || types.contains(sniffed) else { throw wrongType(sniffed, accepted: types) }
            let uploaded = try await binding.storage.upload(body, to: name, options: options(sniffed, tap: nil))
            return Stored(file: StorageFile(name: uploaded.name, in: binding.storage), probe: nil)
        case .image(let rules):
            return try await runImage(body, sniffed, rules)
        }
    }

    private func runImage(_ body: UploadBody, _ sniffed: ContentType, _ rules: ImageRules) async throws -> Stored {
        let inspector = ImageUploadInspector(prober: binding.prober)
        let uploaded = try await binding.storage.upload(
            body,
            to: name,
            options: options(sniffed, tap: { try inspector.consume($0) })
        )
        let file = StorageFile(name: uploaded.name, in: binding.storage)
        do {
            let probe = try await inspector.finish(byteCount: uploaded.byteCount)
            try rules.check(probe)
            return Stored(file: file, probe: probe)
        } catch {
            // The verdict needs the last byte, so the object exists for a moment. It goes although the task may be
            // cancelled: a cancelled task's own await would throw before the storage heard of it.
            try await Task { try await file.delete() }.value
            throw error
        }
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
        options.progress = progress
        options.tap = tap
        return options
    }

    private func wrongType(_ found: ContentType, accepted: [ContentType]) -> StorageError {
        StorageError(
            .wrongType,
            """
            The field "\(column)" accepts \(accepted.map(\.description).joined(separator: ", ")), \
            but the bytes are \(found).
            """,
            name: name.string
        )
    }
}
