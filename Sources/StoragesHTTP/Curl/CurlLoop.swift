import CLibCurl
import NIOConcurrencyHelpers
import NIOPosix
import Platform
import Synchronization

/// The thread that owns libcurl's multi handle and all transfers in it.
///
/// Tasks post commands and wake it; only it calls libcurl, but for that waking. It ends before `exit` tears OpenSSL
/// down.
final class CurlLoop: Sendable {
    enum Command: Sendable {
        case start(CurlTransfer)
        case resume(CurlTransfer)
        case cancel(CurlTransfer)
        case setAside(CurlTransfer)
    }

    private struct Mailbox {
        var commands: [Command] = []
        var isStopped = false
    }

    // A handle of libcurl is used by the loop's thread alone.
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer
    private let driver: CurlDriver
    // As above.
    private nonisolated(unsafe) let share: UnsafeMutableRawPointer
    private let mailbox = NIOLockedValueBox(Mailbox())
    private let hasEnded = Atomic<Bool>(false)

    /// The most idle connections that are kept: libcurl's own choice shrinks with the number of transfers that run.
    private static let mostConnections = 256

    private init() throws {
        guard stored_files_curl_global_init() == CURLE_OK, let multi = curl_multi_init() else {
            throw HTTPFailure(.notConnected, "libcurl cannot start; the process may be out of memory or descriptors.")
        }
        guard let share = curl_share_init(), let driver = CurlDriver(multi) else {
            curl_multi_cleanup(multi)
            throw HTTPFailure(.notConnected, "libcurl cannot start; the process may be out of memory or descriptors.")
        }
        self.driver = driver
        self.multi = multi
        self.share = UnsafeMutableRawPointer(share)
        _ = stored_files_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Self.mostConnections)
        // Sessions are resumed by all handles: without it each new connection does a whole TLS handshake.
        _ = stored_files_curl_share(share, CURL_LOCK_DATA_SSL_SESSION)
    }

    // MARK: The shared one

    private static let sharedLoop = NIOLockedValueBox<CurlLoop?>(nil)
    private static let thread = NIOThreadPool(numberOfThreads: 1)

    /// The loop of the process, started with the first call.
    static func shared() throws -> CurlLoop {
        try sharedLoop.withLockedValue { shared in
            if let shared { return shared }
            let loop = try CurlLoop()
            thread.start()
            thread.submit { _ in loop.run() }
            // Handlers of exit() free what OpenSSL needs; the thread must not be inside it by then.
            atexit { CurlLoop.stopShared() }
            shared = loop
            return loop
        }
    }

    private static func stopShared() {
        guard let loop = sharedLoop.withLockedValue({ $0 }) else { return }
        loop.mailbox.withLockedValue { $0.isStopped = true }
        loop.driver.wake()
        for _ in 0..<500 where !loop.hasEnded.load(ordering: .acquiring) { usleep(1000) }
    }

    /// Posts a command to the thread.
    func post(_ command: Command) {
        let wasEmpty = mailbox.withLockedValue { mailbox in
            defer { mailbox.commands.append(command) }
            return mailbox.commands.isEmpty
        }
        if wasEmpty { driver.wake() }
    }

    // MARK: The thread

    /// The state that only the thread uses.
    private struct Transfers {
        var active: [ObjectIdentifier: CurlTransfer] = [:]
        var idleHandles: [UnsafeMutableRawPointer] = []
        var earliestDeadline: ContinuousClock.Instant?
    }

    private func run() {
        Self.blockBrokenPipeSignal()
        var transfers = Transfers()
        while true {
            let (commands, isStopped) = mailbox.withLockedValue { mailbox in
                defer { mailbox.commands.removeAll(keepingCapacity: true) }
                return (mailbox.commands, mailbox.isStopped)
            }
            if isStopped { break }
            for command in commands { handle(command, &transfers) }
            driver.perform()
            collectFinished(&transfers)
            expireDeadlines(&transfers)
            for transfer in transfers.active.values where transfer.hasUndelivered { transfer.deliver() }
            driver.wait(milliseconds: pollTimeout(transfers))
        }
        hasEnded.store(true, ordering: .releasing)
    }

    private func handle(_ command: Command, _ transfers: inout Transfers) {
        switch command {
        case .start(let transfer):
            // The command to cancel may have come before this one, and found nothing.
            guard !transfer.isCancelled else { return transfer.finish(CancellationError()) }
            guard let handle = transfers.idleHandles.popLast() ?? curl_easy_init() else {
                transfer.finish(HTTPFailure(.notConnected, "libcurl has no memory for another request."))
                return
            }
            guard transfer.prepare(handle, share: share), curl_multi_add_handle(multi, handle) == CURLM_OK else {
                retire(transfer, &transfers, isReusable: false)
                transfer.finish(HTTPFailure(.invalidRequest, "libcurl refused the request's settings."))
                return
            }
            transfers.active[ObjectIdentifier(transfer)] = transfer
            if let deadline = transfer.deadline {
                transfers.earliestDeadline = min(transfers.earliestDeadline ?? deadline, deadline)
            }
        case .resume(let transfer):
            guard transfers.active[ObjectIdentifier(transfer)] != nil else { return }
            transfer.resumeReceiving()
        case .cancel(let transfer):
            guard transfers.active.removeValue(forKey: ObjectIdentifier(transfer)) != nil else { return }
            end(transfer, &transfers, CancellationError())
        case .setAside(let transfer):
            // Somebody may have begun to read since.
            guard transfer.unreadSince != nil, transfers.active.removeValue(forKey: ObjectIdentifier(transfer)) != nil
            else { return }
            end(transfer, &transfers, HTTPFailure.setAside)
        }
    }

    private func collectFinished(_ transfers: inout Transfers) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let transfer = CurlTransfer.of(handle)
            else { continue }
            let code = message.pointee.data.result
            transfers.active.removeValue(forKey: ObjectIdentifier(transfer))
            let outcome = transfer.outcome(of: code)
            curl_multi_remove_handle(multi, handle)
            // In some versions curl_easy_reset leaves what a handle remembers of a failed rewind, or of a server that
            // refused Expect: it would never send that header again.
            retire(transfer, &transfers, isReusable: code == CURLE_OK && !transfer.hasRefusedExpectation)
            transfer.finish(outcome)
        }
    }

    private func expireDeadlines(_ transfers: inout Transfers) {
        guard let earliest = transfers.earliestDeadline else { return }
        let now = ContinuousClock.now
        guard now >= earliest else { return }
        for (id, transfer) in transfers.active {
            guard let deadline = transfer.deadline, deadline <= now else { continue }
            transfers.active.removeValue(forKey: id)
            end(transfer, &transfers, transfer.timeoutFailure())
        }
        transfers.earliestDeadline = transfers.active.values.compactMap(\.deadline).min()
    }

    /// Ends a transfer early, which closes its connection.
    private func end(_ transfer: CurlTransfer, _ transfers: inout Transfers, _ error: any Error) {
        if let handle = transfer.handle { curl_multi_remove_handle(multi, handle) }
        retire(transfer, &transfers, isReusable: false)
        transfer.finish(error)
    }

    private func retire(_ transfer: CurlTransfer, _ transfers: inout Transfers, isReusable: Bool) {
        guard let handle = transfer.release() else { return }
        if isReusable, transfers.idleHandles.count < Self.mostConnections {
            curl_easy_reset(handle)
            transfers.idleHandles.append(handle)
        } else {
            curl_easy_cleanup(handle)
        }
    }

    private func pollTimeout(_ transfers: Transfers) -> Int {
        guard let deadline = transfers.earliestDeadline else { return 1000 }
        return min(1000, max(1, ContinuousClock.now.duration(to: deadline).milliseconds))
    }

    /// Blocks SIGPIPE, which is raised by writing to a peer that is gone, and would end the process.
    private static func blockBrokenPipeSignal() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
