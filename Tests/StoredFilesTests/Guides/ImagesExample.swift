// The code of the article Images, block by block: GuideTests compares the two.
import StoredFiles

enum ImagesGuide {
    @Model("posters")
    struct Poster {
        var id: Int64?
        var title: String
        @StoredImage(
            in: "posters",
            path: "posters",
            width: "picture_width",
            height: "picture_height",
            maxBytes: 10_000_000,
            rules: ImageRules(formats: [.jpeg, .png, .webp], minSize: PixelSize(width: 200, height: 200))
        )
        var picture: StorageImage? = nil
    }

    func connect(to address: String, storages: StorageRegistry) async throws -> Database {
        let limits = ImageLimits(maxPixels: 20_000_000, formats: [.jpeg, .png, .webp, .gif])
        return try await Database.connect(address, storages: storages, prober: ImageProber(limits: limits))
    }

    func add(_ upload: UploadBody, named name: String, to database: Database) async throws -> Poster? {
        var poster = Poster(title: name)
        do {
            poster.picture = try await database.store(upload, named: name, for: \Poster.$picture)
        } catch let error as ImageError where error.code == .busy {
            print("Too many images are being decoded. Try again later.")
            return nil
        } catch let error as ImageError {
            print("The upload was refused: \(error)")
            return nil
        }
        try await database.insert(&poster)
        return poster
    }
}
