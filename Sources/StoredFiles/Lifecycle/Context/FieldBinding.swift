import PostgresModels
import StorageImages
import Storages

/// A field joined to what it needs at run time: looked up once per result, at the first row, and reused for the rest.
final class FieldBinding: Sendable {
    let table: String
    let column: String
    let storage: any Storage
    let recorder: SizeRecorder?
    let prober: ImageProber

    init<Owner>(_ field: StoredField<Owner>, _ attachments: DatabaseAttachments) throws {
        let context = try attachments.fileContext(for: field.column)
        table = Owner.table
        column = field.column
        storage = try context.storages.storage(for: field.storage)
        prober = context.prober
        recorder = field.sizeColumns.map {
            context.recorder(for: SizeRecorder.Target(table: Owner.table, column: field.column, sizes: $0))
        }
    }
}
