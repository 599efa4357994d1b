import StorageImages
import Storages

/// The code of the article "StorageImages", word for word.
enum StorageImagesGuide {
    func printSize(in storage: any Storage) async throws {
        let image = try StorageImage(name: "covers/cat.jpg", in: storage)
        print(try await image.dimensions())
    }

    func storeCover(_ path: String, in storage: any Storage) async throws -> StorageImage {
        let inspector = ImageUploadInspector()
        var options = UploadOptions()
        options.tap = { try inspector.consume($0) }
        let uploaded = try await storage.upload(.file(path), to: storage.name(for: "cover.jpg"), options: options)
        do {
            let found = try await inspector.finish(byteCount: uploaded.byteCount)
            return StorageImage(name: uploaded.name, in: storage, width: found.size.width, height: found.size.height)
        } catch {
            try? await storage.delete(uploaded.name)
            throw error
        }
    }

    func check(_ bytes: [UInt8]) async throws {
        let prober = ImageProber(limits: ImageLimits(maxPixels: 20_000_000, formats: [.jpeg, .png, .webp]))
        let rules = ImageRules(minSize: PixelSize(width: 400, height: 400), aspectRatio: 0.5...2)
        let found = try await prober.probe(bytes: bytes)
        try rules.check(found)
    }
}
