import NIOCore
import Storages
import TestSupport
import Testing

@testable import StorageImages

/// One probe for everybody who asks, remembered and recorded once.
@Suite struct StorageImageTests {
    private func image(
        _ fixture: String,
        _ storage: CountingStorage = CountingStorage(),
        recorder: RecordingRecorder? = nil,
        prober: ImageProber = .default
    ) async throws -> StorageImage {
        let file = try await storage.put(HeaderFixture.bytes(fixture), fixture)
        return StorageImage(file: file, recorder: recorder, prober: prober)
    }

    @Test("An image of known size gives its dimensions without reading the file")
    func aKnownSizeIsAnsweredWithoutReading() async throws {
        let storage = CountingStorage()
        let image = try StorageImage(name: "nowhere.jpg", in: storage, width: 30, height: 20)
        #expect(try await image.dimensions() == PixelSize(width: 30, height: 20))
        #expect(image.width == 30 && image.height == 20)
        #expect(storage.counts.opens == 0)
    }

    @Test("An image without a given size has an unknown size")
    func aSizeIsUnknownWithoutNumbers() async throws {
        let image = try StorageImage(name: "nowhere.jpg", in: CountingStorage())
        #expect(image.sizeState == .unknown)
        #expect(image.pixelSize == nil && image.width == nil && image.height == nil)
    }

    @Test(
        arguments: [
            (.unknown, nil, nil), (.notAnImage, 0, 0), (.known(PixelSize(width: 30, height: 20)), 30, 20),
        ] as [(StorageImage.SizeState, Int?, Int?)]
    )
    func whatIsKnownOfASizeSurvivesTheWayThroughTwoColumns(
        _ state: StorageImage.SizeState,
        _ width: Int?,
        _ height: Int?
    ) async throws {
        let storage = CountingStorage()
        let file = StorageFile(name: try StorageName(validating: "nowhere.jpg"), in: storage)
        let image = StorageImage(file: file, size: state)
        #expect(image.width == width && image.height == height)
        let again = try StorageImage(name: "nowhere.jpg", in: storage, width: image.width, height: image.height)
        #expect(again.sizeState == state && again.pixelSize == image.pixelSize)
        let byName = StorageImage(name: file.name, in: storage, width: image.width, height: image.height)
        #expect(byName.sizeState == state)
    }

    @Test(arguments: [(0, 3), (3, 0), (-1, -1), (3, nil), (nil, 3), (0, nil)] as [(Int?, Int?)])
    func halfASizeIsUnknown(_ width: Int?, _ height: Int?) {
        #expect(StorageImage.SizeState(width: width, height: height) == .unknown)
    }

    @Test("A file that is known not to be an image is not read")
    func whatIsKnownNotToBeAnImageIsNotRead() async throws {
        let storage = CountingStorage()
        let file = StorageFile(name: try StorageName(validating: "x.jpg"), in: storage)
        let image = StorageImage(file: file, size: .notAnImage)
        let error = await #expect(throws: ImageError.self) { try await image.dimensions() }
        #expect(error?.code == .notAnImage && error?.name == "x.jpg")
        #expect(storage.counts.opens == 0)
    }

    @Test("All copies of an image share the size of the first probe")
    func theFirstProbeReadsOnceAndIsRememberedByCopies() async throws {
        let storage = CountingStorage()
        let recorder = RecordingRecorder()
        let image = try await image("exif-6.jpg", storage, recorder: recorder)
        let copy = image
        let size = try await image.dimensions()
        #expect(size == PixelSize(width: 207, height: 311))
        #expect(try await copy.dimensions() == size)
        #expect(copy.pixelSize == size && copy.sizeState == .known(size))
        #expect(storage.counts.opens == 1)
        #expect(recorder.sizes == [.known(size)])
    }

    @Test("A hundred concurrent callers share one probe of a file")
    func aHundredCallersShareOneProbe() async throws {
        let storage = CountingStorage()
        let recorder = RecordingRecorder()
        let file = try await storage.put(HeaderFixture.bytes("cat.jpg"), "shared.jpg")
        storage.hold()
        let sizes = try await withThrowingTaskGroup(of: PixelSize.self) { group in
            for _ in 0..<100 {
                // A value of its own for each caller, as when each has loaded the row.
                group.addTask { try await StorageImage(file: file, recorder: recorder).dimensions() }
            }
            #expect(try await eventually { storage.counts.opens == 1 })
            try await Task.sleep(for: .milliseconds(50))
            storage.release()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sizes.count == 100 && Set(sizes).count == 1)
        #expect(storage.counts.opens == 1)
        #expect(recorder.sizes == [.known(sizes[0])])
    }

    @Test("Images of the same name in two storages of the same label are probed separately")
    func storagesOfTheSameLabelAreNotTakenForEachOther() async throws {
        let first = CountingStorage()
        let second = CountingStorage()
        let one = StorageImage(file: try await first.put(HeaderFixture.bytes("32x16.png"), "same.png"))
        let other = StorageImage(file: try await second.put(HeaderFixture.bytes("rgb.png"), "same.png"))
        first.hold()
        async let held = one.dimensions()
        #expect(try await eventually { first.counts.opens == 1 })
        #expect(try await other.dimensions() == PixelSize(width: 64, height: 43))
        first.release()
        #expect(try await held == PixelSize(width: 32, height: 16))
    }

    @Test("Images in equal directories of two storages are probed separately")
    func directoriesOfStoragesAreNotTakenForEachOther() async throws {
        let first = CountingStorage()
        let second = CountingStorage()
        _ = try await first.put(HeaderFixture.bytes("32x16.png"), "a/same.png")
        _ = try await second.put(HeaderFixture.bytes("rgb.png"), "a/same.png")
        // Values of the same type with the same label; only what they decorate tells them apart.
        let one = try StorageImage(name: "same.png", in: PrefixedStorage(prefix: "a", of: first))
        let other = try StorageImage(name: "same.png", in: PrefixedStorage(prefix: "a", of: second))
        first.hold()
        async let held = one.dimensions()
        #expect(try await eventually { first.counts.opens == 1 })
        async let independent = other.dimensions()
        #expect(try await eventually { second.counts.opens == 1 })
        // The same directory made twice is the same storage.
        let again = try StorageImage(name: "same.png", in: PrefixedStorage(prefix: "a", of: first))
        async let shared = again.dimensions()
        try await Task.sleep(for: .milliseconds(20))
        first.release()
        #expect(try await independent == PixelSize(width: 64, height: 43))
        #expect(try await [held, shared] == Array(repeating: PixelSize(width: 32, height: 16), count: 2))
        #expect(first.counts.opens == 1)
    }

    @Test("A cancelled caller does not disturb the others that share its probe")
    func aCancelledCallerDoesNotDisturbTheOthers() async throws {
        let storage = CountingStorage()
        let image = try await image("rgb.png", storage)
        storage.hold()
        let leaver = Task { try await image.dimensions() }
        #expect(try await eventually { storage.counts.opens == 1 })
        let stayer = Task { try await image.dimensions() }
        try await Task.sleep(for: .milliseconds(20))
        leaver.cancel()
        await #expect(throws: CancellationError.self) { try await leaver.value }
        storage.release()
        #expect(try await stayer.value == PixelSize(width: 64, height: 43))
        #expect(storage.counts == .init(opens: 1, bytes: storage.counts.bytes, cancelled: 0))
    }

    @Test("A shared probe is cancelled when its last caller is cancelled")
    func theProbeIsCancelledWhenTheLastCallerLeaves() async throws {
        let storage = CountingStorage()
        let recorder = RecordingRecorder()
        let image = try await image("rgb.png", storage, recorder: recorder)
        storage.hold()
        let callers = (0..<5).map { _ in Task { try await image.dimensions() } }
        #expect(try await eventually { storage.counts.opens == 1 })
        for caller in callers { caller.cancel() }
        for caller in callers { await #expect(throws: CancellationError.self) { try await caller.value } }
        storage.release()
        #expect(try await eventually { storage.counts.cancelled == 1 })
        #expect(recorder.sizes.isEmpty && image.sizeState == .unknown)
        #expect(try await image.dimensions() == PixelSize(width: 64, height: 43))
    }

    @Test("A caller that is already cancelled does not read the file")
    func aCallerCancelledBeforehandDoesNotRead() async throws {
        let storage = CountingStorage()
        let image = try await image("rgb.png", storage)
        let caller = Task {
            try? await Task.sleep(for: .seconds(60))
            return try await image.dimensions()
        }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
        #expect(storage.counts.opens == 0)
    }

    @Test(
        "A verdict that a file is not an image is recorded and remembered",
        arguments: [
            ("notes.txt", ImageError.Code.notAnImage), ("bad-idat-crc.png", .corrupt), ("bad-depth.png", .malformed),
        ]
    )
    func aVerdictAboutTheBytesIsRecordedAndRemembered(_ fixture: String, _ code: ImageError.Code) async throws {
        let storage = CountingStorage()
        let recorder = RecordingRecorder()
        let image = try await image(fixture, storage, recorder: recorder)
        for _ in 0..<3 {
            let error = await #expect(throws: ImageError.self) { try await image.dimensions() }
            #expect(error?.code == code)
            #expect(error?.name == fixture)
        }
        #expect(storage.counts.opens == 1)
        #expect(recorder.sizes == [.notAnImage])
        #expect(image.sizeState == .notAnImage)
    }

    @Test("A refusal by a limit is remembered but not recorded")
    func aRefusalByOurLimitsIsRememberedButNotRecorded() async throws {
        let storage = CountingStorage()
        let recorder = RecordingRecorder()
        let prober = ImageProber(limits: ImageLimits(maxPixels: 100))
        let image = try await image("rgb.png", storage, recorder: recorder, prober: prober)
        for _ in 0..<2 {
            let error = await #expect(throws: ImageError.self) { try await image.dimensions() }
            #expect(error?.code == .tooManyPixels)
        }
        #expect(storage.counts.opens == 1)
        #expect(recorder.sizes.isEmpty && image.sizeState == .unknown)
    }

    @Test("A refusal for too many scans is not recorded")
    func tooManyScansSayNothingAboutTheBytes() async throws {
        let recorder = RecordingRecorder()
        let image = try await image("bomb-200-scans.jpg", recorder: recorder)
        let error = await #expect(throws: ImageError.self) { try await image.dimensions() }
        #expect(error?.code == .tooManyScans)
        #expect(recorder.sizes.isEmpty && image.sizeState == .unknown)
        let storage = CountingStorage()
        let prober = ImageProber(limits: ImageLimits(maxJPEGScans: 300))
        let patient = try await self.image("bomb-200-scans.jpg", storage, prober: prober)
        #expect(try await patient.dimensions().width > 0)
    }

    @Test("A refusal by a limit is shared by all loads of a row with the same prober")
    func aRefusalByOurLimitsIsNotRepeatedForEveryLoadedRow() async throws {
        let storage = CountingStorage()
        let recorder = RecordingRecorder()
        let prober = ImageProber(limits: ImageLimits(maxPixels: 100))
        for _ in 0..<3 {
            // A value of its own, as each load of the row makes one.
            let image = try await image("rgb.png", storage, recorder: recorder, prober: prober)
            let error = await #expect(throws: ImageError.self) { try await image.dimensions() }
            #expect(error?.code == .tooManyPixels && error?.name == "rgb.png")
        }
        #expect(storage.counts.opens == 1)
        // Another prober, and an image that no row names, are asked anew.
        #expect(try await image("rgb.png", storage, recorder: recorder).dimensions().width == 64)
        await #expect(throws: ImageError.self) { try await image("rgb.png", storage, prober: prober).dimensions() }
        #expect(storage.counts.opens == 3)
    }

    @Test("The number of remembered refusals is limited")
    func rememberedRefusalsAreBounded() async throws {
        let memory = RefusalMemory(bound: 2)
        let storage = CountingStorage()
        let error = ImageError(.tooManyPixels, "Too large.")
        let files = try ["a", "b", "c", "a", "b"].map {
            StorageFile(name: try StorageName(validating: $0), in: storage)
        }
        for file in files { memory.remember(error, of: file, by: .default) }
        #expect(memory.count == 2)
        #expect(memory.refusal(of: files[0], by: .default) != nil && memory.refusal(of: files[1], by: .default) != nil)
        #expect(memory.refusal(of: files[2], by: .default) == nil)
    }

    @Test("A probe whose read failed is tried again by the next caller")
    func aFailedReadIsTriedAgain() async throws {
        let storage = CountingStorage()
        let recorder = RecordingRecorder()
        let image = try await image("rgb.png", storage, recorder: recorder)
        storage.fail(with: StorageError(.unavailable, "The storage is away. Try again."))
        let error = await #expect(throws: StorageError.self) { try await image.dimensions() }
        #expect(error?.code == .unavailable)
        #expect(recorder.sizes.isEmpty && image.sizeState == .unknown)
        #expect(try await image.dimensions() == PixelSize(width: 64, height: 43))
        #expect(storage.counts.opens == 2)
        #expect(recorder.sizes.count == 1)
    }

    @Test("Images are equal if their files are")
    func imagesAreEqualWhenTheirFilesAre() async throws {
        let storage = CountingStorage()
        let known = try StorageImage(name: "a.jpg", in: storage, width: 3, height: 2)
        let unknown = try StorageImage(name: "a.jpg", in: storage)
        #expect(known == unknown && known.hashValue == unknown.hashValue)
        #expect(known != (try StorageImage(name: "b.jpg", in: storage)))
    }

    @Test("An image value takes at most 128 bytes")
    func anImageIsSmall() {
        #expect(MemoryLayout<StorageImage>.size <= 128)
    }
}
