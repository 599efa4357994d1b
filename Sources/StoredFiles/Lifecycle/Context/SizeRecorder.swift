import Logging
import PostgresModels
import StorageImages
import Storages

/// Writes a probed size into the two columns of the row that names the image.
///
/// The row is found by the *name*, not by its key: whatever row names these bytes, the size is true of it. A row that
/// meanwhile names another file does not match, so a stale probe cannot overwrite a newer file's size; a row whose
/// size somebody else has written does not match either.
final class SizeRecorder: ImageSizeRecorder {
    struct Target: Hashable, Sendable {
        let table: String
        let column: String
        let sizes: SizeColumns
    }

    private let target: Target
    private let link: DatabaseLink

    init(target: Target, link: DatabaseLink) {
        self.target = target
        self.link = link
    }

    func recordSize(_ size: StorageImage.SizeState, of name: StorageName) async {
        guard let database = link.database, let width = size.width, let height = size.height else { return }
        let size = (width: Int32(clamping: width), height: Int32(clamping: height))
        // The caller's transaction may hold the only connection of the pool, or a lock on this very row: waiting for
        // either from inside would never end. The size is written once the transaction has let go of both, whichever
        // way it ends: what was probed is true of the bytes in any case.
        if let transaction = Transaction.current {
            let write: @Sendable () async -> Void = { [target] in
                await Self.write(size, of: name, to: target, in: database, isIndependent: true)
            }
            if transaction.onCommit(write), transaction.onRollback(write) { return }
        }
        await Self.write(size, of: name, to: target, in: database, isIndependent: false)
    }

    private static func write(
        _ size: (width: Int32, height: Int32),
        of name: StorageName,
        to target: Target,
        in database: Database,
        isIndependent: Bool
    ) async {
        let sizes = target.sizes
        // SKIP LOCKED: a size is a cache. A row that somebody is busy with is left to the next reader.
        let sql: SQL = """
            UPDATE \(identifier: target.table) \
            SET \(identifier: sizes.width) = \(size.width), \
            \(identifier: sizes.height) = \(size.height) \
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM \(identifier: target.table) \
            WHERE \(identifier: target.column) = \(name.string) AND \(identifier: sizes.width) IS NULL \
            FOR UPDATE SKIP LOCKED)) \
            AND \(identifier: target.column) = \(name.string) AND \(identifier: sizes.width) IS NULL
            """
        do {
            // Beside the pool after a savepoint: the transaction around it still holds its connection.
            _ = isIndependent ? try await database.runIndependently(sql) : try await database.query(sql)
        } catch is CancellationError {
            // The caller has what it asked for; the next reader will write the size.
        } catch {
            database.logger.warning(
                "The size of an image was probed but could not be cached",
                metadata: ["table": "\(target.table)", "column": "\(target.column)", "error": "\(error)"]
            )
        }
    }
}
