internal import CLibPQ
import NIOConcurrencyHelpers
import Synchronization

/// Owns a PGconn and ends the session with its last reference.
// Only the connection's lock, and before that the thread that connects, reaches the pointer.
final class ConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let notices = NoticeBox()

    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
        // libpq calls this on the thread that is inside it; the box outlives the pointer because both belong to us.
        PQsetNoticeReceiver(
            pointer,
            { box, result in
                guard let box, let result else { return }
                Unmanaged<NoticeBox>.fromOpaque(box).takeUnretainedValue().add(ServerReport(reading: result))
            },
            Unmanaged.passUnretained(notices).toOpaque()
        )
    }

    deinit {
        PQfinish(pointer)
    }

    /// The message of libpq about the last failure, in one line.
    var errorMessage: String {
        ServerReport.oneLine(PQerrorMessage(pointer).map { String(cString: $0) } ?? "")
    }
}

/// A request to stop what a session is running. Freed with its last reference.
// libpq documents sending it as safe on any thread; nothing else uses the pointer.
final class CancelHandle: @unchecked Sendable {
    private let pointer: UnsafeMutableRawPointer

    /// Creates a cancel request; to be called under the lock of the connection.
    init?(for handle: ConnectionHandle) {
        guard let pointer = clibpq_cancel_create(handle.pointer) else { return nil }
        self.pointer = pointer
    }

    deinit {
        clibpq_cancel_free(pointer)
    }

    /// Sends the request; blocks until the server has taken note of it, which is when it closes the connection this
    /// opens.
    func send() {
        _ = clibpq_cancel_send(pointer)
    }
}

/// The notices of one session, kept until they can be logged outside the connection's lock.
final class NoticeBox: Sendable {
    private let reports = NIOLockedValueBox<[ServerReport]>([])
    private let fatal = NIOLockedValueBox<ServerReport?>(nil)
    private let isFilled = Atomic<Bool>(false)

    func add(_ report: ServerReport) {
        if report.isFatal { fatal.withLockedValue { $0 = report } }
        reports.withLockedValue { if $0.count < 1000 { $0.append(report) } }
        isFilled.store(true, ordering: .releasing)
    }

    /// Takes the notices that have come since the last call.
    func drain() -> [ServerReport] {
        guard isFilled.exchange(false, ordering: .acquiring) else { return [] }
        return reports.withLockedValue { reports in
            defer { reports.removeAll() }
            return reports
        }
    }

    /// The report with which the server ended the session, if it sent one.
    var lastFatal: ServerReport? {
        fatal.withLockedValue { $0 }
    }
}
