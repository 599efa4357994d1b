// One import gives an application the whole vocabulary: storages, images, models and fields.
@_exported public import PostgresModels
@_exported public import StorageImages
@_exported public import Storages
