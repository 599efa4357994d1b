import Platform

/// The files of an overlay: those of the upper storage, and those of the lower one that are neither covered nor hidden.
struct OverlayListing: AsyncSequence, Sendable {
    typealias Element = FileInfo

    let storage: OverlayStorage
    let prefix: String

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            storage: storage,
            upper: Layer(files: storage.upper.list(prefix: prefix).makeAsyncIterator()),
            lower: Layer(files: storage.lower.list(prefix: prefix).makeAsyncIterator()),
            isOrdered: storage.upper.capabilities.contains(.orderedListing)
                && storage.lower.capabilities.contains(.orderedListing),
            filter: WhiteoutFilter(storage.whiteouts)
        )
    }

    /// A listing whose next file can be looked at.
    struct Layer {
        var files: FileListing.AsyncIterator
        private var head: FileInfo?
        private var hasEnded = false

        init(files: FileListing.AsyncIterator) {
            self.files = files
        }

        mutating func peek() async throws -> FileInfo? {
            if head == nil, !hasEnded {
                head = try await files.next()
                hasEnded = head == nil
            }
            return head
        }

        mutating func skip() {
            head = nil
        }
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        private static let largestPage = 256

        let storage: OverlayStorage
        var upper: Layer
        var lower: Layer
        let isOrdered: Bool
        var filter: WhiteoutFilter

        private var page: [FileInfo] = []
        private var position = 0
        /// The size of the next page, small at first: a caller that only wants to know whether there is a file does not
        /// wait for many.
        private var pageSize = 8
        private var isFinished = false

        init(storage: OverlayStorage, upper: Layer, lower: Layer, isOrdered: Bool, filter: WhiteoutFilter) {
            self.storage = storage
            self.upper = upper
            self.lower = lower
            self.isOrdered = isOrdered
            self.filter = filter
        }

        mutating func next() async throws -> FileInfo? {
            while position == page.count {
                guard !isFinished else { return nil }
                pageSize = Swift.min(pageSize * 2, Self.largestPage)
                page = isOrdered ? try await nextOrderedPage() : try await nextPage()
                position = 0
            }
            defer { position += 1 }
            return page[position]
        }

        /// The next files of both, in order; may be empty although more follow.
        private mutating func nextOrderedPage() async throws -> [FileInfo] {
            var files: [(file: FileInfo, isInherited: Bool)] = []
            while files.count < pageSize {
                let above = try await upper.peek()
                let below = try await nextInherited()
                if let above, below.map({ above.name <= $0.name }) ?? true {
                    files.append((above, false))
                    upper.skip()
                    if above.name == below?.name { lower.skip() }
                } else if let below {
                    files.append((below, true))
                    lower.skip()
                } else {
                    isFinished = true
                    break
                }
            }
            let isHidden = try await filter.isHidden(files.filter(\.isInherited).map(\.file.name))
            var results = isHidden.makeIterator()
            return files.compactMap { file, isInherited in
                isInherited && results.next() != false ? nil : file
            }
        }

        /// The next files of one of the two, which come in no order.
        ///
        /// The lower one's first: who covers one of them after it was listed has it listed twice. The other way round
        /// it would not be listed at all, although it was there all the time.
        private mutating func nextPage() async throws -> [FileInfo] {
            var files: [FileInfo] = []
            while files.count < pageSize, let file = try await nextInherited() {
                files.append(file)
                lower.skip()
            }
            if !files.isEmpty {
                let isHidden = try await filter.isHidden(files.map(\.name))
                let left = zip(files, isHidden).filter { !$0.1 }.map(\.0)
                let isCovered = try await left.mapConcurrently(limit: 16) { [upper = storage.upper] in
                    try await upper.exists($0.name)
                }
                return zip(left, isCovered).filter { !$0.1 }.map(\.0)
            }
            while files.count < pageSize, let file = try await upper.peek() {
                files.append(file)
                upper.skip()
            }
            isFinished = files.isEmpty
            return files
        }

        /// The next file of the lower storage, without the library's own objects there.
        ///
        /// They can be in its listing when this overlay is the upper storage of another, which lists its whiteouts.
        private mutating func nextInherited() async throws -> FileInfo? {
            while var file = try await lower.peek() {
                file.isInherited = true
                if !file.name.isReserved { return file }
                lower.skip()
            }
            return nil
        }
    }
}
