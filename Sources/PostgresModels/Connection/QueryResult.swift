internal import CLibPQ
import NIOConcurrencyHelpers

/// The finished result of one command, owned by Swift and freed with its last reference.
// A PGresult is immutable once libpq has handed it out, and libpq documents it as shareable between threads.
package final class QueryResult: @unchecked Sendable {
    /// The number of rows that the command returned.
    package let rowCount: Int
    /// The number of columns of each row.
    package let columnCount: Int

    // Never leaves this class: ARC may free the object as soon as its last use is over, the pointer with it.
    private let pointer: OpaquePointer
    private let places = NIOLockedValueBox<ColumnPlaces?>(nil)

    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = Int(PQntuples(pointer))
        columnCount = Int(PQnfields(pointer))
    }

    deinit {
        PQclear(pointer)
    }

    /// The name of a column, or "" when there is no such column.
    package func columnName(_ column: Int) -> String {
        guard (0..<columnCount).contains(column), let name = PQfname(pointer, Int32(column)) else { return "" }
        return String(cString: name)
    }

    /// The place of the first column of a name, nil when there is none.
    ///
    /// O(1) but for the first call.
    package func column(named name: String) -> Int? {
        places.withLockedValue { places in
            if let known = places { return known[name] }
            let made = ColumnPlaces((0..<columnCount).map { columnName($0) })
            places = made
            return made[name]
        }
    }

    /// The type OID of a column, or 0 when there is no such column.
    package func columnOID(_ column: Int) -> UInt32 {
        guard (0..<columnCount).contains(column) else { return 0 }
        return PQftype(pointer, Int32(column))
    }

    /// The command tag, as the server reports it: "SELECT 3", "COMMIT", "ROLLBACK".
    package var commandTag: String {
        PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
    }

    /// The number of rows that the command touched; 0 for commands that do not count.
    package var affectedRows: Int {
        PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// The bytes of one cell in binary format, nil for SQL NULL and for a position outside the result.
    ///
    /// - Important: the buffer belongs to this object. Hold the object for as long as the buffer is read, with
    ///   `withExtendedLifetime(result) { … }` where nothing later uses it. O(1).
    @inline(never)
    package func cell(row: Int, column: Int) -> UnsafeRawBufferPointer? {
        guard row >= 0, row < rowCount, column >= 0, column < columnCount else { return nil }
        var length: Int32 = 0
        guard let bytes = clibpq_cell(pointer, Int32(row), Int32(column), &length) else { return nil }
        return UnsafeRawBufferPointer(start: bytes, count: Int(length))
    }

    /// The number of bytes of memory that the result takes.
    var memorySize: Int {
        PQresultMemorySize(pointer)
    }

    // MARK: What the connection needs to know

    var status: ExecStatusType {
        PQresultStatus(pointer)
    }

    var isError: Bool {
        switch status {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: true
        default: false
        }
    }

    /// A Boolean value that indicates whether the command was DISCARD ALL.
    var resetsSession: Bool {
        clibpq_is_command(pointer, "DISCARD ALL") != 0
    }

    /// A Boolean value that indicates whether the command made the session forget what was prepared.
    var forgetsStatements: Bool {
        resetsSession || clibpq_is_command(pointer, "DEALLOCATE ALL") != 0
    }

    /// The fields of the server's error report; what it may quote of the data (DETAIL) is not read at all.
    var report: ServerReport {
        ServerReport(reading: pointer)
    }
}
